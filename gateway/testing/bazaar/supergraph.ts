import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { archiveSdl } from './archive.sdl.js';
import { catalogSdl } from './catalog.sdl.js';
import { peopleSdl } from './people.sdl.js';
import { pricesSdl } from './prices.sdl.js';
import { reviewsSdl } from './reviews.sdl.js';
import { stockSdl } from './stock.sdl.js';
import { venuesSdl } from './venues.sdl.js';

const directives = [
  '@key',
  '@requires',
  '@provides',
  '@external',
  '@shareable',
  '@override',
  '@inaccessible',
  '@interfaceObject',
];
const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ${JSON.stringify(directives)})\n`;

/** The SDL of each subgraph of the bazaar, by name. */
export const bazaarSdl: Readonly<Record<string, string>> = {
  catalog: link + catalogSdl,
  people: link + peopleSdl,
  reviews: link + reviewsSdl,
  prices: link + pricesSdl,
  stock: link + stockSdl,
  venues: link + venuesSdl,
  archive: link + archiveSdl,
};

/** The supergraph of the bazaar, which has every feature of federation. Routing urls lead nowhere. */
export function bazaarSupergraph(): string {
  const { errors, supergraphSdl } = composeServices(
    Object.entries(bazaarSdl).map(([name, sdl]) => ({
      name,
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: parse(sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}
