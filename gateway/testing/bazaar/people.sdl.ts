/** Who buys, writes and makes. A user is known by either of two keys, a company by a nested one. */
export const peopleSdl = /* GraphQL */ `
  scalar JSON
  scalar Date

  interface Named { name: String }
  interface Person { id: ID!  name: String  email: String! }

  type User implements Person & Named @key(fields: "id") @key(fields: "email") {
    id: ID!
    email: String!
    name: String @shareable
    age: Int
    friends(first: Int): [User!]
    boss: User
    role: Role!
    address: Address
    birthday: Date
    prefs: JSON
    nicknames: [String]
    internalId: ID @inaccessible
  }
  type Robot implements Person & Named @key(fields: "id") {
    id: ID!
    name: String
    email: String!
    model: String!
    owner: User
  }
  type Company implements Named @key(fields: "taxId { country number }") {
    taxId: TaxId!
    name: String
    ceo: User
    staff: [Person]
    site: Venue
  }
  type TaxId @shareable { country: String!  number: Int! }
  type Address @shareable { street: String  city: City }
  type City @shareable { name: String!  zip: String }
  type Venue @key(fields: "id", resolvable: false) { id: ID! }
  enum Role { ADMIN MEMBER ROOT @inaccessible }

  input PeopleFilter { role: RoleInput  minAge: Int  onlyHere: String }
  enum RoleInput { ADMIN MEMBER }

  type Query {
    user(id: ID, email: String): User @shareable
    users(filter: PeopleFilter = { minAge: 0 }): [User]
    people: [Person!]
    company(country: String!, number: Int!): Company
    now: String @shareable
  }
  type Mutation {
    promote(id: ID!, to: RoleInput = ADMIN): User
    touchPeople(tag: String!): Log!
  }
  type Log @shareable { entries: [String!]! }
`;
