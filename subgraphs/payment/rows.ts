import type { Page } from '../../platform/graphql/connection.js';
import type { PaymentStatus } from './domain.js';

export interface AccountRow {
  id: string;
  userId: string;
  balanceCents: number;
}

export interface PaymentRow {
  id: string;
  orderId: string;
  userId: string;
  status: PaymentStatus;
  amountCents: number;
  createdAt: Date;
  refundedAt: Date | null;
}

export interface LedgerEntryRow {
  id: string;
  accountId: string;
  kind: 'TOP_UP' | 'CHARGE' | 'REFUND';
  amountCents: number;
  balanceAfterCents: number;
  paymentId: string | null;
  createdAt: Date;
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

export type LedgerEntryPage = Page<LedgerEntryRow>;
