/* SANITIZED is 1 in a build with the address or the thread sanitizer, and otherwise 0. */
#ifndef RV_TESTS_SANITIZED_H
#define RV_TESTS_SANITIZED_H

#ifdef __has_feature /* clang */
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
