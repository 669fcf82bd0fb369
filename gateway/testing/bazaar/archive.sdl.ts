/** What is old: fields that moved to the catalog, and others that stayed. */
export const archiveSdl = /* GraphQL */ `
  type Book @key(fields: "id") {
    id: ID!
    pages: Int
    scans: [Scan!]
    lender: Borrower
  }
  type Scan { page: Int!  url: String }
  union Borrower = User | Venue
  type User @key(fields: "email") { email: String!  loans: [Book] }
  type Venue @key(fields: "id") { id: ID!  holdings: [Book!] }
  type Bundle @key(fields: "lots { no }") { lots: [Lot]  origin: String }
  type Lot @shareable { no: Int! }
  type Grid @key(fields: "cells") { cells: [[Int!]!]!  area: Int }
  type Market @key(fields: "code") { code: ID!  founded: Int }
  enum Status { OPEN LOST }

  type Query {
    scanned(first: Int): [Book]
    archiveStatus: Status
    oldUser(email: String!): User
  }
`;
