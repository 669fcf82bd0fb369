/** What people say. It knows users by email, and products, whatever they are, as one object type. */
export const reviewsSdl = /* GraphQL */ `
  scalar Date

  type Review @key(fields: "id") {
    id: ID!
    body: String
    stars: Int!
    author: User @provides(fields: "name")
    writer: User
    product: Product
    subject: Subject
    mood: Mood
    replies: [Review!]
    created: Date
  }
  type User @key(fields: "email") {
    email: String!
    name: String @external
    age: Int @external
    address: Address @external
    reviews(min: Int = 0, filter: ReviewFilter): [Review!]!
    karma: Int @requires(fields: "age")
    region: String! @requires(fields: "address { city { name zip } }")
  }
  type Address @shareable { city: City }
  type City @shareable { name: String!  zip: String }
  type Product @key(fields: "id") @interfaceObject {
    id: ID!
    reviews(first: Int = 5): [Review]
    rating: Float
    best: Review
  }
  type Venue @key(fields: "id") { id: ID!  reviews: [Review] }
  union Subject = User | Venue
  enum Mood { GLAD SAD }
  enum Status { OPEN MODERATED }

  input ReviewFilter { mood: MoodInput  since: Date  hereOnly: Boolean }
  enum MoodInput { GLAD SAD ANGRY }

  type Query {
    reviews(filter: ReviewFilter): [Review!]
    review(id: ID!): Review
    topReviews(first: Int! = 2): [Review] @provides(fields: "writer { name }")
    user(id: ID, email: String): User @shareable
    reviewed: [Product!]
    now: String @shareable
    reviewStatus: Status
  }
  type Mutation {
    addReview(input: ReviewInput!): Review
    touchReviews(tag: String!): Log!
  }
  input ReviewInput { product: ID!  stars: Int = 3  body: String  moods: [[MoodInput]] }
  type Log @shareable { entries: [String!]! }
`;
