import { createHash } from 'node:crypto';
import type { DeliveryStatus } from '../../events/delivery.js';
import type { Transport } from './domain.js';

/** A point on the earth, in degrees. */
export interface Place {
  latitude: number;
  longitude: number;
}

/** Where deliveries start, and how far their doors are from there at most, in metres. */
export interface Geography {
  depot: Place;
  radius: number;
}

const earthRadius = 6_371_000;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const degrees = (angle: number): number => (angle * 180) / Math.PI;

/** Metres between two places, as the crow flies. */
export function distance(a: Place, b: Place): number {
  const [north, east] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const chord =
    Math.sin(north / 2) ** 2 +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(east / 2) ** 2;
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** The place so many metres from another one, in a direction in radians, clockwise from north. */
function placeAt(from: Place, metres: number, direction: number): Place {
  const [latitude, angle] = [radians(from.latitude), metres / earthRadius];
  const north = Math.asin(
    Math.sin(latitude) * Math.cos(angle) + Math.cos(latitude) * Math.sin(angle) * Math.cos(direction),
  );
  const east = Math.atan2(
    Math.sin(direction) * Math.sin(angle) * Math.cos(latitude),
    Math.cos(angle) - Math.sin(latitude) * Math.sin(north),
  );
  return { latitude: degrees(north), longitude: wrapped(from.longitude + degrees(east)) };
}

const wrapped = (longitude: number): number => ((longitude + 540) % 360) - 180;

/**
 * Where an address is. There is no geocoder here: the text itself says how far from the depot, and in which direction, so
 * that the same address is always the same door, doors are spread evenly, and none is out of reach.
 */
export function doorOf(address: string, { depot, radius }: Geography): Place {
  const plain = address.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
  const hash = createHash('sha256').update(plain).digest();
  const part = (at: number) => hash.readUInt32BE(at) / 2 ** 32;
  return placeAt(depot, radius * Math.sqrt(part(0)), 2 * Math.PI * part(4));
}

/** The place at this part of the way from one to another, 0 to 1. */
export const between = (from: Place, to: Place, part: number): Place => ({
  latitude: from.latitude + (to.latitude - from.latitude) * part,
  longitude: wrapped(from.longitude + wrapped(to.longitude - from.longitude) * part),
});

/** Metres a second in a town, stops included. */
const speeds: Record<Transport, number> = { FOOT: 1.3, BICYCLE: 4, SCOOTER: 6.5, CAR: 7.5 };
/** Streets are longer than the flight of a crow. */
const detour = 1.3;
/** What it takes to be handed an order at the depot. */
const pickUpSeconds = 120;

const travel = (from: Place, to: Place, transport: Transport): number =>
  (distance(from, to) * detour) / speeds[transport];

/** A courier on a delivery; `at` is null where nobody knows where the courier is, or where it was long ago. */
export interface Trip {
  status: DeliveryStatus;
  address: string;
  transport: Transport;
  at: Place | null;
}

/**
 * How many seconds from now a delivery is at its door. Who has not set out goes to the depot first. Null where nothing can
 * be said that was not known before: at the end, and of one close to the door who does not say where.
 */
export function secondsToDoor({ status, address, transport, at }: Trip, geography: Geography): number | null {
  const { depot } = geography;
  const door = doorOf(address, geography);
  switch (status) {
    case 'PENDING':
      return (at ? travel(at, depot, transport) : 0) + pickUpSeconds + travel(depot, door, transport);
    case 'IN_TRANSIT':
      return travel(at ?? depot, door, transport);
    case 'OUT_FOR_DELIVERY':
      return at && travel(at, door, transport);
    default:
      return null;
  }
}
