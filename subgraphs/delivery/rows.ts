import type { DeliveryStatus } from '../../events/delivery.js';

export interface CourierRow {
  id: string;
  name: string;
}

export interface DeliveryRow {
  id: string;
  orderId: string;
  userId: string;
  courierId: string | null;
  status: DeliveryStatus;
  address: string;
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
