import type { DeliveryStatus } from '../../events/delivery.js';
import { type Refusal, refuse } from '../../platform/errors.js';

/** Which status may follow which. */
export const transitions: Record<DeliveryStatus, readonly DeliveryStatus[]> = {
  PENDING: ['IN_TRANSIT', 'CANCELLED', 'FAILED'],
  IN_TRANSIT: ['OUT_FOR_DELIVERY', 'PENDING', 'CANCELLED', 'FAILED'],
  OUT_FOR_DELIVERY: ['DELIVERED', 'PENDING', 'FAILED'],
  DELIVERED: [],
  CANCELLED: [],
  FAILED: [],
};

/** Nothing follows it: the delivery can no longer change. */
export const isFinal = (status: DeliveryStatus): boolean => transitions[status].length === 0;

/** Those in which a delivery can still change. */
export const openStatuses = (Object.keys(transitions) as DeliveryStatus[]).filter(
  (status) => !isFinal(status),
);

/** Why a delivery does not go from one status to another; undefined where it may. */
export const refuseMove = (from: DeliveryStatus, to: DeliveryStatus): Refusal | undefined =>
  transitions[from].includes(to)
    ? undefined
    : refuse('INVALID_TRANSITION', `A delivery that is ${from} cannot become ${to}.`);

/** The step that a courier takes next when all goes well; undefined at the end. */
export const nextStep = (status: DeliveryStatus): DeliveryStatus | undefined => onward[status];

const onward: Partial<Record<DeliveryStatus, DeliveryStatus>> = {
  PENDING: 'IN_TRANSIT',
  IN_TRANSIT: 'OUT_FOR_DELIVERY',
  OUT_FOR_DELIVERY: 'DELIVERED',
};

/** What this service has heard of an order so far. */
export interface KnownOrder {
  orderId: string;
  userId: string;
  /** Null until the order's own event has come. */
  address: string | null;
  /** Null until the payment's event has come. */
  paid: boolean | null;
  closed: boolean;
}

/** Can a delivery begin: it is paid, its address is known, and it has not been called off. */
export const canBegin = (order: KnownOrder): order is KnownOrder & { address: string } =>
  order.paid === true && order.address !== null && !order.closed;
