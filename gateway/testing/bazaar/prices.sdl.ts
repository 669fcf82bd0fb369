/** What things cost. It knows books by ISBN alone, and what it needs to know of them it requires. */
export const pricesSdl = /* GraphQL */ `
  interface Priced { price(currency: Currency = EUR): Money }

  type Book implements Priced @key(fields: "isbn") {
    isbn: String!
    weight(unit: Unit = GRAM): Int @external
    dims: Dims @external
    chapters: [Chapter!] @external
    authors: [User] @external
    price(currency: Currency = EUR): Money
    postage: Int @requires(fields: "weight(unit: GRAM)")
    freight: Int @requires(fields: "weight(unit: KILO)")
    volume: Float @requires(fields: "dims { width height depth }")
    typesetting: Int @requires(fields: "chapters { title pages notes { text line } }")
    royalties: [Money] @requires(fields: "authors { id }")
  }
  type Film implements Priced @key(fields: "id") {
    id: ID!
    minutes: Int! @external
    price(currency: Currency = EUR): Money
    rental: Money! @requires(fields: "minutes")
    offers: [Offer]
  }
  type Chapter { title: String! @external  pages: Int @external  notes: [Note] @external }
  type Note { text: String @external  line: Int! @external }
  type Dims @shareable { width: Float  height: Float  depth: Float }
  type User @key(fields: "id") { id: ID!  discount: Float }
  type Offer implements Priced @key(fields: "sku market { code }") @key(fields: "id") {
    id: ID!
    sku: String!
    market: Market!
    price(currency: Currency = EUR): Money
    item: Priced
    items: [[Priced!]]
  }
  type Market @key(fields: "code") { code: ID!  title: String  currency: Currency! }
  type Money @shareable { amount: Float!  currency: Currency! }
  enum Currency { EUR USD GBP }
  enum Unit { GRAM KILO }

  input OfferKey { sku: String!  market: String! = "eu" }
  type Query {
    offers(market: ID, cheap: Boolean = false): [Offer]
    offer(key: OfferKey!): Offer
    priced: [Priced!]
    markets: [Market!]!
  }
  type Mutation {
    reprice(id: ID!, amount: Float!, currency: Currency = EUR): Offer
    touchPrices(tag: String!): Log!
  }
  type Log @shareable { entries: [String!]! }
`;
