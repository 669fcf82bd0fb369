import { stableId } from '../../platform/ids.js';
import type { OrderCommands } from './commands.js';

const products: [name: string, description: string, priceCents: number][] = [
  ['Espresso', 'A double, in a cup that keeps it hot.', 200],
  ['Croissant', 'Butter, and little else.', 250],
  ['Tomato soup', 'Half a litre, with basil.', 650],
  ['Margherita', 'Pizza with tomato, mozzarella and basil.', 950],
  ['Ramen', 'Noodles in miso broth with an egg.', 1250],
  ['Sushi box', 'Sixteen pieces for one.', 1890],
  ['Fruit basket', 'Three kilos of what is in season.', 2400],
  ['Bouquet', 'Flowers of the day.', 3200],
  ['Wine', 'A bottle of red.', 4500],
  ['Dinner for two', 'Three courses, to be warmed up.', 6000],
];

/** Puts ten products into the catalogue; their ids rise in this order. */
export const seedProducts = (commands: OrderCommands): Promise<void> =>
  commands.ensureProducts(
    products.map(([name, description, priceCents], index) => ({
      id: `0000000${index}${stableId(`product:${name}`).slice(8)}`,
      name,
      description,
      priceCents,
    })),
  );
