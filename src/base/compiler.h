/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h - what the compiler gives beyond C: owning pointers and checks.
 *
 * PO_DEFINE_AUTO(type, free_fn) makes po_auto(type) usable on an *owning*
 * local pointer to a struct: free_fn runs when the scope ends, and gets NULL
 * after po_steal(). PO_DEFINE_AUTO_T is the same for a foreign typedef, used
 * as po_auto_t(EVP_PKEY). Never put either on a borrowed pointer.
 */
#ifndef PO_BASE_COMPILER_H
#define PO_BASE_COMPILER_H

#define PO_MUST_CHECK __attribute__((warn_unused_result))
#define PO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define PO_DEFINE_AUTO(type, free_fn)                               \
	__attribute__((unused)) static inline void type##_autofree( \
		struct type **p_)                                   \
	{                                                           \
		free_fn(*p_);                                       \
		*p_ = NULL;                                         \
	}                                                           \
	struct po_swallow_semicolon
#define po_auto(type) __attribute__((cleanup(type##_autofree))) struct type

#define PO_DEFINE_AUTO_T(type, free_fn)                             \
	__attribute__((unused)) static inline void type##_autofree( \
		type **p_) /* NOLINT */                             \
	{                                                           \
		free_fn(*p_);                                       \
		*p_ = NULL;                                         \
	}                                                           \
	struct po_swallow_semicolon
#define po_auto_t(type) __attribute__((cleanup(type##_autofree))) type

#define po_steal(p)                          \
	__extension__({                      \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

#define PO_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
