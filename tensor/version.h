/* The version of the library. */
#ifndef RV_TENSOR_VERSION_H
#define RV_TENSOR_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the headers. */
#define RV_VERSION_MAJOR 0
#define RV_VERSION_MINOR 1
#define RV_VERSION_PATCH 0
#define RV_VERSION_TEXT RV_VERSION_JOIN(RV_VERSION_MAJOR, RV_VERSION_MINOR, RV_VERSION_PATCH)

#define RV_VERSION_JOIN(major, minor, patch) RV_VERSION_QUOTE(major, minor, patch)
#define RV_VERSION_QUOTE(major, minor, patch) #major "." #minor "." #patch

/* The version of the library that the program is linked with, such as "0.1.0". */
const char *rv_version(void);

#ifdef __cplusplus
}
#endif

#endif
