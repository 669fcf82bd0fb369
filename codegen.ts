import { existsSync } from 'node:fs';
import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * What a resolver gets as the parent of a type: the row it was read as, by its name in
 * subgraphs/<service>/rows.ts. A type that is not here is resolved from its own GraphQL shape.
 */
const mappers: Record<string, Record<string, string>> = {
  user: {
    Session: 'SessionRow',
    User: 'UserRow',
    UserConnection: 'UserPage',
  },
  order: {
    Order: 'OrderRow',
    OrderConnection: 'OrderPage',
    OrderItem: 'OrderItemRow',
    OrderUpdate: 'OrderChangeRow',
    Product: 'ProductRow',
    ProductConnection: 'ProductPage',
    User: 'UserRef',
  },
  payment: {
    Account: 'AccountRow',
    LedgerEntry: 'LedgerEntryRow',
    LedgerEntryConnection: 'LedgerEntryPage',
    Order: 'OrderRef',
    Payment: 'PaymentRow',
    User: 'UserRef',
  },
  delivery: {
    Courier: 'CourierRow',
    Delivery: 'DeliveryRow',
    DeliveryConnection: 'DeliveryPage',
    CourierConnection: 'CourierPage',
    DeliveryStatusChange: 'DeliveryChangeRow',
    Location: 'LocationRow',
    Order: 'OrderRef',
    User: 'UserRef',
  },
  event: {
    Event: 'EventRow',
    DeadLetter: 'DeadLetterRow',
    DeadLetterConnection: 'DeadLetterPage',
    EventConnection: 'EventPage',
    EventStats: 'StatsRow',
    Order: 'OrderRef',
    User: 'UserRef',
  },
};

const scalars = {
  ID: 'string',
  DateTime: { input: 'string', output: 'Date' },
  Decimal: 'string',
  CurrencyCode: 'string',
  EmailAddress: 'string',
  PhoneNumber: 'string',
  Cursor: 'string',
  JSON: 'unknown',
};

/** The types of one subgraph's resolvers, in its generated/graphql.ts. */
const resolverTypes = (service: string): NonNullable<CodegenConfig['generates'][string]> => ({
  schema: `subgraphs/${service}/schema.graphql`,
  plugins: ['typescript', 'typescript-resolvers'],
  config: {
    federation: true,
    // The SDL brings its own by @link; what would be injected is Federation 1.
    disableFederationDirectiveAndScalarInjection: true,
    contextType: '../context.js#Context',
    mappers: Object.fromEntries(
      Object.entries(mappers[service] ?? {}).map(([type, row]) => [type, `../rows.js#${row}`]),
    ),
    scalars,
    strictScalars: true,
    enumsAsTypes: true,
    useTypeImports: true,
    maybeValue: 'T | null',
  },
});

const services = Object.keys(mappers).filter((service) => existsSync(`subgraphs/${service}/schema.graphql`));

const config: CodegenConfig = {
  silent: true,
  importExtension: '.js',
  generates: Object.fromEntries(
    services.map((service) => [`subgraphs/${service}/generated/graphql.ts`, resolverTypes(service)]),
  ),
};

export default config;
