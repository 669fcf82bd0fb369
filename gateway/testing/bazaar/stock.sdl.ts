/** What is there. It adds fields to every product, and knows offers by their composite key. */
export const stockSdl = /* GraphQL */ `
  type Product @key(fields: "id") @interfaceObject {
    id: ID!
    weight(unit: Unit = GRAM): Int @external
    dims: Dims @external
    rating: Float @external
    stock: Int!
    shelf: Shelf
    warehouses: [Warehouse]
    shipping(express: Boolean = false): Int @requires(fields: "weight")
    boxes: Int @requires(fields: "dims { width height }")
    demand: Float @requires(fields: "rating")
  }
  type Shelf @shareable { row: Int  column: Int  label: String }
  type Dims @shareable { width: Float  height: Float }
  enum Unit { GRAM KILO }

  type Warehouse @key(fields: "site { id } zone") {
    site: Venue!
    zone: String!
    capacity: Int
    holds: [Product!]
  }
  type Venue @key(fields: "id") { id: ID!  warehouses: [Warehouse!] }
  type Offer @key(fields: "sku market { code }") { sku: String!  market: Market!  left: Int  reserved: [Int] }
  type Market @key(fields: "code") { code: ID!  depot: Venue }

  input PeopleFilter { role: RoleInput  minAge: Int }
  enum RoleInput { ADMIN MEMBER GUEST }
  input ReviewFilter { mood: MoodInput }
  enum MoodInput { GLAD SAD }
  scalar Date

  type User @key(fields: "email") { email: String!  basket(filter: PeopleFilter, by: ReviewFilter): [Product] }

  type Query {
    stocked(min: Int = 0): [Product]
    scarce: Product
    warehouse(site: ID!, zone: String = "A"): Warehouse
    now: String @shareable
    bundles: [Bundle]
  }
  type Bundle @key(fields: "ids") @key(fields: "lots { no }") {
    ids: [ID!]!
    lots: [Lot]
    pieces: [Product]
  }
  type Lot @shareable { no: Int! }
  type Mutation {
    restock(id: ID!, by: Int = 1): Product
    touchStock(tag: String!): Log!
  }
  type Log @shareable { entries: [String!]! }
`;
