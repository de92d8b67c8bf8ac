// What BERT's normaliser and pre-tokenizer do to each Unicode scalar, as constant data.
#ifndef CWORDPIECETABLE_H
#define CWORDPIECETABLE_H

#include <stdint.h>

#define WP_WORD 0u  // part of a word; the class of every scalar that no range names
#define WP_ISOLATED 1u  // a word of its own: punctuation, and what CJK spacing sets apart
#define WP_SPACE 2u  // ends a word and is not kept
#define WP_DROPPED 3u  // removed: cleaned away, or an accent when wp_marks has a class for it
#define WP_BLOCKING 4u  // removed; a starter, so no mark is reordered across it

// Scalars first...last share `value`: a class in wp_ranges, a combining class in wp_marks,
// which lists surviving marks and dropped accents alike.
typedef struct {
  uint32_t first, last, value;
} wp_range;

// A scalar that is not kept as it is: `count` results, each scalar | class << 24.
typedef struct {
  uint32_t scalar, count, results[4];
} wp_mapping;

extern const wp_range wp_ranges[];
extern const uint32_t wp_ranges_count;
extern const wp_mapping wp_mappings[];
extern const uint32_t wp_mappings_count;
extern const wp_range wp_marks[];
extern const uint32_t wp_marks_count;

// Arrays of unknown length do not import into Swift; their first rows do.
static inline const wp_range *wp_ranges_rows(void) { return wp_ranges; }
static inline const wp_mapping *wp_mappings_rows(void) { return wp_mappings; }
static inline const wp_range *wp_marks_rows(void) { return wp_marks; }

#endif
