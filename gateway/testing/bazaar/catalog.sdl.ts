/** What is sold. It owns the interface Product, and knows people and companies by their keys alone. */
export const catalogSdl = /* GraphQL */ `
  scalar JSON

  interface Named { name: String }
  interface Person { id: ID! }

  interface Product implements Named @key(fields: "id") {
    id: ID!
    name: String
    weight(unit: Unit = GRAM): Int
    dims: Dims
    maker: Maker
    related(first: Int = 3): [Product]
    codes: [[String]]
  }
  type Book implements Product & Named @key(fields: "id") @key(fields: "isbn") {
    id: ID!
    isbn: String!
    name: String
    weight(unit: Unit = GRAM): Int
    dims: Dims
    maker: Maker
    related(first: Int = 3): [Product]
    codes: [[String]]
    pages: Int @override(from: "archive")
    authors: [User]
    chapters: [Chapter!]
    secret: String @inaccessible
    sequel: Book
  }
  type Film implements Product & Named @key(fields: "id") {
    id: ID!
    name: String
    weight(unit: Unit = GRAM): Int
    dims: Dims
    maker: Maker
    related(first: Int = 3): [Product]
    codes: [[String]]
    minutes: Int!
    stars: [Person]
    basedOn: Media
  }
  type Gadget implements Product & Named @key(fields: "id") {
    id: ID!
    name: String
    weight(unit: Unit = GRAM): Int
    dims: Dims
    maker: Maker
    related(first: Int = 3): [Product]
    codes: [[String]]
    voltage: Float!
    parts: [[Part]]
    manual: Book
    inventor: User!
  }
  type Prototype implements Product & Named @key(fields: "id") @inaccessible {
    id: ID!
    name: String
    weight(unit: Unit = GRAM): Int
    dims: Dims
    maker: Maker
    related(first: Int = 3): [Product]
    codes: [[String]]
    codename: String
  }
  type Poster implements Named {
    name: String
    artist: User
    dims: Dims
    meta: JSON
  }
  union Media = Book | Film | Poster | Prototype
  union Maker = User | Company

  type Chapter { title: String!  pages: Int  notes: [Note] }
  type Note { text: String  line: Int! }
  type Part { sku: String!  spare: Gadget }
  type Dims @shareable { width: Float  height: Float  depth: Float  unit: Unit }
  enum Unit { GRAM KILO }
  enum Kind { BOOK FILM GADGET PROTOTYPE @inaccessible }
  enum Status { OPEN CLOSED }

  type User implements Person @key(fields: "id", resolvable: false) { id: ID! }
  type Robot implements Person @key(fields: "id", resolvable: false) { id: ID! }
  type Company @key(fields: "taxId { country number }", resolvable: false) { taxId: TaxId! }
  type TaxId @shareable { country: String!  number: Int! }

  input ProductFilter {
    kinds: [Kind!] = [BOOK, FILM, GADGET]
    weight: Range
    name: String
    debug: Boolean @inaccessible
  }
  input Range { min: Int = 0  max: Int }

  type Query {
    product(id: ID!, debug: Boolean @inaccessible): Product
    products(ids: [ID!], filter: ProductFilter, first: Int = 10): [Product]!
    book(isbn: String!): Book
    media: [Media]
    shelves: [[Product]]
    named: [Named]
    now: String @shareable
    catalogStatus: Status
  }
  type Mutation {
    renameProduct(id: ID!, name: String = "New"): Product
    touchCatalog(tag: String!): Log!
  }
  type Log @shareable { entries: [String!]! }
`;
