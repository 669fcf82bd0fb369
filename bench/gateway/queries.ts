import { orderId, orders } from './data.js';

export type QueryName = 'small' | 'big';

export interface BenchQuery {
  name: QueryName;
  operationName: string;
  query: string;
  /** The requests go round these. */
  variables: readonly Record<string, unknown>[];
  /** What the plan must have, or another thing is measured. */
  fetches: number;
  /** Requests under way at once: enough for the core of a contestant to have no rest. */
  concurrency: number;
}

export const queries: Record<QueryName, BenchQuery> = {
  small: {
    name: 'small',
    operationName: 'Small',
    query: /* GraphQL */ `query Small($id: ID!) {
  order(id: $id) {
    id
    number
    status
    total { amount currency }
    customer { id name email }
  }
}`,
    variables: Array.from({ length: orders }, (_, n) => ({ id: orderId(n) })),
    fetches: 2,
    concurrency: 32,
  },
  big: {
    name: 'big',
    operationName: 'Big',
    query: /* GraphQL */ `query Big($first: Int!) {
  me { id name email address { street city zip } }
  orders(first: $first) {
    id
    number
    status
    placedAt
    note
    total { amount currency discount }
    customer { id name email phone memberSince address { street city zip } }
    items {
      quantity
      price
      product {
        id
        title
        inStock
        price { amount currency }
        seller { id name }
        store { id name }
        rating
        reviews { id stars text author { id name } }
      }
    }
    delivery {
      id
      state
      minutesLeft
      courier { id name phone }
      pickup { id name city }
    }
  }
  topProducts(first: 8) {
    id
    title
    weight
    price { amount currency }
    seller { id name email }
    store { id city }
    rating
    reviews { id stars text author { id name memberSince } }
  }
}`,
    variables: [{ first: orders }],
    // No two of them ask the same of the same entities: a gateway that shares those would make fewer.
    fetches: 16,
    concurrency: 8,
  },
};

/** The body of a request, as clients send it. */
export const bodyOf = ({ query, operationName }: BenchQuery, variables: Record<string, unknown>): string =>
  JSON.stringify({ operationName, query, variables });
