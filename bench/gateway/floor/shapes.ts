// What the fetches of the plans select, as the subgraphs answer it.

interface Ref {
  id: string;
}

export interface Address {
  street: string;
  city: string;
  zip: string;
}

/** Each fetch of users selects some of these. */
export interface User {
  name: string;
  email: string;
  phone: string | null;
  memberSince: number;
  address: Address | null;
}

export interface Store {
  name: string;
  city: string;
}

export interface Order {
  id: string;
  number: string;
  status: string;
  placedAt: string;
  note: string | null;
  total: { amount: string; currency: string; discount: string | null };
  customer: Ref;
  items: { quantity: number; price: string; product: Ref }[];
}

export interface Product {
  title: string;
  inStock: boolean;
  weight: number | null;
  price: { amount: string; currency: string };
  seller: Ref;
  store: Ref;
}

export interface DeliveredOrder {
  delivery: { id: string; state: string; minutesLeft: number | null; courier: Ref; pickup: Ref } | null;
}

export interface ReviewedProduct {
  rating: number | null;
  reviews: { id: string; stars: number; text: string; author: Ref }[];
}
