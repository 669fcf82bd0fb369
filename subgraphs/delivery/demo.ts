import { demoCouriers } from '../../events/demo.js';
import { stableId } from '../../platform/ids.js';
import type { Database } from '../../platform/postgres/database.js';
import { ensureCouriers } from './commands.js';

const names = ['Anna', 'Ben', 'Chloe', 'David', 'Elif', 'Finn', 'Grace', 'Hugo', 'Ines', 'Jonas'];

/** Adds the demo couriers, each with its account. */
export const seedCouriers = (database: Database): Promise<void> =>
  ensureCouriers(
    database,
    demoCouriers.map(({ id: userId, email }, index) => ({
      id: stableId(`courier:${email}`),
      name: names[index] ?? `Courier ${index + 1}`,
      userId,
    })),
  );
