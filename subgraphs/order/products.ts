import { productUpdated } from '../../events/product.js';
import { toMessage } from '../../platform/bus/event.js';
import { must, type Result, refusable } from '../../platform/errors.js';
import { currency } from '../../platform/money.js';
import { insertOutbox } from '../../platform/outbox.js';
import type { Database } from '../../platform/postgres/database.js';
import { type ProductRequest, readProduct } from './domain.js';
import type { ProductRow } from './rows.js';

/** What is done about the catalogue. */
export interface ProductCommands {
  /** Puts a product into the catalogue, or changes it; `id` is a new one's too. Answers it as it is then. */
  upsert(id: string | null, request: ProductRequest): Promise<Result<ProductRow>>;
}

/** `changed` is told which products have, once they have, and waited for: whoever is answered then sees it. */
export const productCommands = (
  database: Database,
  changed: (ids: readonly string[]) => Promise<void>,
): ProductCommands => ({
  async upsert(id, request) {
    const result = await refusable(() => {
      const { name, description, priceCents, available } = must(readProduct(request));
      return database.transaction(async (tx) => {
        const { rows } = await tx.query<ProductRow>(
          `insert into products as p (id, name, description, price_cents, available)
           values (coalesce($1::uuid, uuidv7()), $2, $3, $4, $5)
           on conflict (id) do update set name = excluded.name, description = excluded.description,
             price_cents = excluded.price_cents, available = excluded.available, updated_at = now()
           returning id, name, description, price_cents as "priceCents", available`,
          [id, name, description, priceCents, available],
        );
        const [product] = rows as [ProductRow];
        const data = { productId: product.id, priceCents, currency, available } as const;
        await insertOutbox(tx, [toMessage('order', productUpdated, data, new Date())]);
        return product;
      });
    });
    if (result.ok) await changed([result.value.id]);
    return result;
  },
});
