import { demoCouriers } from '../../events/demo.js';
import { stableId } from '../../platform/ids.js';
import type { Database } from '../../platform/postgres/database.js';
import { ensureCouriers } from './couriers.js';
import { transports } from './domain.js';

const names = ['Anna', 'Ben', 'Chloe', 'David', 'Elif', 'Finn', 'Grace', 'Hugo', 'Ines', 'Jonas'];

/** Adds the demo couriers, each with its account; their phone numbers are nobody's, of those kept for films. */
export const seedCouriers = (database: Database): Promise<void> =>
  ensureCouriers(
    database,
    demoCouriers.map(({ id: userId, email }, index) => ({
      id: stableId(`courier:${email}`),
      name: names[index] ?? `Courier ${index + 1}`,
      userId,
      phone: `+4930231250${String(index).padStart(2, '0')}`,
      transport: transports[index % transports.length] ?? 'BICYCLE',
    })),
  );
