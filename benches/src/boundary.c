/*
 * All rows of the table "rows" through libesent: JetMove and JetRetrieveColumn of each. A round for
 * each line on standard input; prints the nanoseconds that a call took, and the sum of the column.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <esent.h>

static void good(JET_ERR code) {
    if (code < 0) {
        fprintf(stderr, "answered %d\n", (int)code);
        exit(1);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int count, char **words) {
    JET_INSTANCE instance = 0;
    JET_SESID ses = 0;
    JET_DBID dbid = 0;
    JET_TABLEID table = 0;
    if (count != 3) return 2;
    good(JetCreateInstanceA(&instance, "boundary"));
    good(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, words[1]));
    good(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, words[1]));
    good(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, words[1]));
    good(JetInit(&instance));
    good(JetBeginSessionA(instance, &ses, NULL, NULL));
    good(JetAttachDatabaseA(ses, words[2], 0));
    good(JetOpenDatabaseA(ses, words[2], NULL, &dbid, 0));
    good(JetOpenTableA(ses, dbid, "rows", NULL, 0, 0, &table));
    while (getchar() == '\n') {
        uint64_t sum = 0, calls = 0;
        double begin = now();
        JET_ERR code = JetMove(ses, table, JET_MoveFirst, 0);
        for (; code >= 0; calls += 2) {
            uint32_t actual = 0, number = 0;
            good(JetRetrieveColumn(ses, table, 1, &number, sizeof number, &actual, 0, NULL));
            sum += number;
            code = JetMove(ses, table, JET_MoveNext, 0);
        }
        printf("%.3f %llu\n", (now() - begin) / (double)calls, (unsigned long long)sum);
        fflush(stdout);
    }
    good(JetTerm(instance));
    return 0;
}
