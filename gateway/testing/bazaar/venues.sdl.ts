/** Where things happen; here lists stand in keys. */
export const venuesSdl = /* GraphQL */ `
  interface Named { name: String }
  type Venue implements Named @key(fields: "id") {
    id: ID!
    name: String
    address: Address
    hours: [[Int]]
    host: Host
    seats: [[Seat!]]
    shows: [Film]
  }
  type Address @shareable { street: String  city: City }
  type City @shareable { name: String!  zip: String }
  type Seat { row: Int!  holder: User }
  union Host = User | Robot | Company
  type User @key(fields: "id") { id: ID!  visited: [Venue] }
  type Robot @key(fields: "id") { id: ID!  guards: Venue }
  type Company @key(fields: "taxId { country number }") { taxId: TaxId!  venues: [Venue!]! }
  type TaxId @shareable { country: String!  number: Int! }
  type Film @key(fields: "id") { id: ID!  screenings(venue: ID): [Screening] }
  type Screening { at: String!  venue: Venue  seats: Int }
  union Subject = Film | Venue
  type Bundle @key(fields: "ids") { ids: [ID!]!  pickup: Venue }
  type Grid @key(fields: "cells") { cells: [[Int!]!]!  owner: User }

  type Query {
    venues: [Venue]
    venue(id: ID!): Venue
    subjects: [Subject]
    grids: [Grid]
  }
`;
