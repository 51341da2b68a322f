/* What the examples share: a call that fails ends the program and says which and why. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include "esent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline JET_ERR checked(JET_ERR code, const char *call, int line)
{
    if (code < 0) {
        char text[512] = "";
        JET_API_PTR number = (JET_API_PTR)(uint32_t)code;
        (void)JetGetSystemParameterA(JET_instanceNil, JET_sesidNil, JET_paramErrorToString,
                                     &number, text, sizeof(text));
        fprintf(stderr, "line %d: %s: %s (%d)\n", line, call, text, (int)code);
        exit(1);
    }
    return code;
}

/* The code of a call that succeeded: 0 or a warning. */
#define CALL(call) checked((call), #call, __LINE__)

/* An instance whose log and databases are in the working folder. Parameters come before JetInit. */
static inline void make_instance(JET_INSTANCE *instance, const char *name)
{
    CALL(JetCreateInstance2A(instance, name, NULL, 0));
    CALL(JetSetSystemParameterA(instance, JET_sesidNil, JET_paramSystemPath, 0, "./"));
    CALL(JetSetSystemParameterA(instance, JET_sesidNil, JET_paramLogFilePath, 0, "./"));
    CALL(JetSetSystemParameterA(instance, JET_sesidNil, JET_paramTempPath, 0, "./"));
    CALL(JetSetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
}

static inline void define_column(JET_COLUMNCREATE_A *column, const char *name, JET_COLTYP type,
                                 JET_GRBIT grbit)
{
    memset(column, 0, sizeof(*column));
    column->cbStruct = sizeof(*column);
    column->szColumnName = (char *)name;
    column->coltyp = type;
    column->grbit = grbit;
    column->cp = 1252;
}

/* `key` ends with two NULs, and `size` counts both. */
static inline void define_index(JET_INDEXCREATE_A *index, const char *name, const char *key,
                                uint32_t size, JET_GRBIT grbit)
{
    memset(index, 0, sizeof(*index));
    index->cbStruct = sizeof(*index);
    index->szIndexName = (char *)name;
    index->szKey = (char *)key;
    index->cbKey = size;
    index->grbit = grbit;
}

/* Makes a table and leaves it open for everybody: its first cursor has it alone. */
static inline JET_TABLEID make_table(JET_SESID session, JET_DBID dbid, const char *name,
                                     JET_COLUMNCREATE_A *columns, uint32_t column_count,
                                     JET_INDEXCREATE_A *indexes, uint32_t index_count)
{
    JET_TABLECREATE_A create;
    JET_TABLEID table = JET_tableidNil;
    memset(&create, 0, sizeof(create));
    create.cbStruct = sizeof(create);
    create.szTableName = (char *)name;
    create.rgcolumncreate = columns;
    create.cColumns = column_count;
    create.rgindexcreate = indexes;
    create.cIndexes = index_count;
    CALL(JetCreateTableColumnIndexA(session, dbid, &create));
    CALL(JetCloseTable(session, create.tableid));
    CALL(JetOpenTableA(session, dbid, name, NULL, 0, 0, &table));
    return table;
}

#endif
