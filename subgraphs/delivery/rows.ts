import type { DeliveryStatus } from '../../events/delivery.js';
import type { Page } from '../../platform/graphql/connection.js';
import type { CourierStatus, Transport } from './domain.js';

export interface CourierRow {
  id: string;
  name: string;
  phone: string | null;
  transport: Transport;
  userId: string | null;
  status: CourierStatus;
  /** Where it was last; all three are null, or none is. */
  latitude: number | null;
  longitude: number | null;
  locatedAt: Date | null;
  /** Whose order it brings, and when it is at the door; null where it brings none. */
  customerId: string | null;
  estimatedAt: Date | null;
}

/** Where a courier is, and when it is at the door of what it brings. */
export interface LocationRow {
  latitude: number;
  longitude: number;
  at: Date;
  estimatedAt: Date | null;
}

export type CourierPage = Page<CourierRow>;
export type DeliveryPage = Page<DeliveryRow>;

export interface DeliveryRow {
  id: string;
  orderId: string;
  userId: string;
  courierId: string | null;
  /** The account that acts for its courier. */
  courierUserId: string | null;
  status: DeliveryStatus;
  address: string;
  deadline: Date | null;
  /** When it is expected at the door. */
  estimatedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface DeliveryChangeRow {
  deliveryId: string;
  orderId: string;
  userId: string;
  sequence: number;
  previous: DeliveryStatus | null;
  status: DeliveryStatus;
  at: Date;
  reason: string | null;
  by: 'customer' | 'courier' | 'dispatcher' | 'system';
  /** Its place among the changes of all deliveries, `<xid>.<id>`, for who watches these. */
  feed?: string;
}

/** A user as this service knows one: by id. */
export interface UserRef {
  id: string;
}

/** An order as this service knows one: by id, and by its user where the row that led here says. */
export interface OrderRef {
  id: string;
  user?: UserRef;
}
