// The order that the bench's jobs read: one JSON document of about 285 bytes.
#pragma once
#include "client.h"

enum { order_bytes_max = 640 };

/// So many customers place orders, each as likely as another.
static unsigned customers = 20000;
/// With it the orders whose number is below `customers` are of one customer each, in a mixed order,
/// and none of them is cancelled: all customers have a row once these were counted.
static bool each_first = false;

/// Writes order `number`, all else drawn from `seed`; `sent_us` is when it was sent, by the
/// sender's monotonic clock (left out when negative). Returns the length.
static inline int write_order(char *to, uint64_t *seed, long number, int64_t sent_us) {
  static const char *const states[] = {"created", "paid", "shipped", "cancelled"};
  static const char *const names[] = {"Ada Lovelace", "Grace B Hopper", "Edsger D", "Tony Hoare"};
  unsigned customer = random_below(seed, customers), state = random_below(seed, 4);
  if (each_first && number < (long)customers) {
    customer = (unsigned)((uint64_t)number * 2654435761u % customers);  // a prime: each comes once
    state %= 3;
  }
  unsigned price[3], quantity[3], cents = 0;
  for (int i = 0; i < 3; i++) {
    price[i] = 100 + random_below(seed, 9900);
    quantity[i] = 1 + random_below(seed, 4);
    cents += price[i] * quantity[i];
  }
  int length = snprintf(
      to, order_bytes_max,
      "{\"order_id\":\"o-%ld\",\"customer\":{\"id\":%u,\"email\":\"c%u@example.org\","
      "\"name\":\"%s\"},\"status\":\"%s\",\"amount\":%u.%02u,\"currency\":\"EUR\",\"items\":[",
      number, customer, customer, names[random_below(seed, 4)], states[state],
      cents / 100, cents % 100);
  for (int i = 0; i < 3; i++)
    length += snprintf(
        to + length, order_bytes_max - (size_t)length,
        "%s{\"sku\":\"s%u\",\"qty\":%u,\"price\":%u.%02u}", i ? "," : "",
        random_below(seed, 500), quantity[i], price[i] / 100, price[i] % 100);
  long ts = 1700000000000L + number;
  if (sent_us < 0)
    length += snprintf(to + length, order_bytes_max - (size_t)length, "],\"ts\":%ld}", ts);
  else
    length += snprintf(
        to + length, order_bytes_max - (size_t)length, "],\"ts\":%ld,\"sent\":%lld}", ts,
        (long long)sent_us);
  return length;
}
