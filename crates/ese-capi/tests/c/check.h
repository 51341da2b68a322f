/* What the programs check answers with: each ends at the first that is not the expected one. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

static void expect_(JET_ERR found, JET_ERR wanted, const char *what, int line)
{
    if (found != wanted) {
        fprintf(stderr, "line %d: %s gave %d, expected %d\n", line, what, (int)found, (int)wanted);
        exit(1);
    }
}
#define EXPECT(call, wanted) expect_((call), (wanted), #call, __LINE__)
#define OK(call) EXPECT(call, JET_errSuccess)
#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "line %d: not %s\n", __LINE__, #condition);     \
            exit(1);                                                        \
        }                                                                   \
    } while (0)

#endif
