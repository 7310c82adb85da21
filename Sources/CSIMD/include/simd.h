// Byte scans that Swift's SIMD types cannot say (they have no movemask). `static inline`, so that
// they are inlined into the Swift that calls them; no library behind them.
//
// Every function but those called `…_stop` reads only bytes of [begin, end): the last bytes of a
// text are looked at by a load that ends at `end`, so nothing need be padded and the address
// sanitizer has nothing to say.
#ifndef WEFT_CSIMD_H
#define WEFT_CSIMD_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#pragma clang assume_nonnull begin
#define WEFT_INLINE static inline __attribute__((always_inline))

// Whether a byte ends the plain part of a JSON text: quote, backslash, control, not ASCII.
static inline int weft_ends_plain_text(uint8_t byte) {
  return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

// Whether a byte must be escaped in a JSON text: quote, backslash, control.
static inline int weft_needs_escape(uint8_t byte) {
  return byte < 0x20 || byte == '"' || byte == '\\';
}

#if defined(__SSE2__)
// Bit i is set where byte i ends plain text. As signed numbers, bytes from 0x80 on are negative, so
// one comparison finds them and the controls.
static inline unsigned weft_plain_text_mask(const uint8_t *at) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
  __m128i outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return (unsigned)_mm_movemask_epi8(_mm_or_si128(outside, _mm_or_si128(quote, slash)));
}

static inline unsigned weft_escape_mask(const uint8_t *at) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)));
}
#endif

// The first byte in [at, end) that ends plain text, or `end`. `begin` is the start of the whole
// text.
WEFT_INLINE const uint8_t *weft_plain_text_end(
    const uint8_t *at, const uint8_t *begin, const uint8_t *end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    unsigned mask = weft_plain_text_mask(at);
    if (mask != 0) return at + __builtin_ctz(mask);
    at += 16;
  }
  if (at < end && end - begin >= 16) {
    unsigned mask = weft_plain_text_mask(end - 16) >> (16 - (end - at));
    return mask != 0 ? at + __builtin_ctz(mask) : end;
  }
#else
  (void)begin;
#endif
  while (at < end && !weft_ends_plain_text(*at)) at += 1;
  return at;
}

// The first byte at or after `at` that ends plain text, in a text with a zero and 15 more bytes
// behind it: no end need be looked for.
WEFT_INLINE const uint8_t *weft_plain_text_stop(const uint8_t *at) {
#if defined(__SSE2__)
  while (1) {
    unsigned mask = weft_plain_text_mask(at);
    if (mask != 0) return at + __builtin_ctz(mask);
    at += 16;
  }
#else
  while (!weft_ends_plain_text(*at)) at += 1;
  return at;
#endif
}

// The first byte in [at, end) that must be escaped, or `end`. `begin` as above.
static inline const uint8_t *weft_escape_end(
    const uint8_t *at, const uint8_t *begin, const uint8_t *end) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    unsigned mask = weft_escape_mask(at);
    if (mask != 0) return at + __builtin_ctz(mask);
    at += 16;
  }
  if (at < end && end - begin >= 16) {
    unsigned mask = weft_escape_mask(end - 16) >> (16 - (end - at));
    return mask != 0 ? at + __builtin_ctz(mask) : end;
  }
#else
  (void)begin;
#endif
  while (at < end && !weft_needs_escape(*at)) at += 1;
  return at;
}

// Copies [from, from + count) up to the first byte that must be escaped, and tells how many bytes
// that are. `to` has room for `count` bytes; more than were told may be written.
static inline size_t weft_copy_unescaped(uint8_t *to, const uint8_t *from, size_t count) {
  size_t done = 0;
#if defined(__SSE2__)
  if (count >= 16) {
    for (; done + 16 <= count; done += 16) {
      __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + done));
      _mm_storeu_si128((__m128i *)(void *)(to + done), bytes);
      unsigned mask = weft_escape_mask(from + done);
      if (mask != 0) return done + (size_t)__builtin_ctz(mask);
    }
    if (done == count) return count;
    // The last sixteen, of which some were copied before.
    size_t last = count - 16;
    unsigned mask = weft_escape_mask(from + last);
    memcpy(to + last, from + last, 16);
    return mask != 0 ? last + (size_t)__builtin_ctz(mask) : count;
  }
  if (count >= 8) {
    // Two halves that overlap; what must be escaped is looked for once more, where there is any.
    uint8_t halves[16];
    memcpy(halves, from, 8);
    memcpy(halves + 8, from + count - 8, 8);
    if (weft_escape_mask(halves) == 0) {
      memcpy(to, halves, 8);
      memcpy(to + count - 8, halves + 8, 8);
      return count;
    }
  } else if (count >= 4) {
    uint8_t halves[16] = {0};
    memcpy(halves, from, 4);
    memcpy(halves + 4, from + count - 4, 4);
    if ((weft_escape_mask(halves) & 0xFF) == 0) {
      memcpy(to, halves, 4);
      memcpy(to + count - 4, halves + 4, 4);
      return count;
    }
  }
#endif
  for (; done < count && !weft_needs_escape(from[done]); done += 1) to[done] = from[done];
  return done;
}

// The length of the UTF-8 sequence at `at` (RFC 3629: shortest form, no surrogates, up to
// U+10FFFF), or 0 when there is none that is valid and whole before `end`.
static inline size_t weft_utf8_length(const uint8_t *at, const uint8_t *end) {
  uint8_t lead = *at;
  ptrdiff_t left = end - at;
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return left >= 2 && (at[1] & 0xC0) == 0x80 ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;
    if (lead == 0xED && at[1] >= 0xA0) return 0;
    return 3;
  }
  if (lead > 0xF4 || left < 4) return 0;
  if ((at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80 || (at[3] & 0xC0) != 0x80) return 0;
  if (lead == 0xF0 && at[1] < 0x90) return 0;
  if (lead == 0xF4 && at[1] >= 0x90) return 0;
  return 4;
}
#pragma clang assume_nonnull end
#endif
