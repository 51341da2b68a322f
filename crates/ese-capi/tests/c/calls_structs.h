/*
 * Structures as arguments of random calls. Those for the two widths of text differ in the type of
 * pointers alone: the wide ones are filled here for both.
 */

static JET_COLUMNDEF *column_defs(struct caller *c, uint32_t count) {
    JET_COLUMNDEF *defs = memory(c, count * sizeof *defs);
    for (uint32_t at = 0; at < count; at++) {
        defs[at] = (JET_COLUMNDEF){.cbStruct = told_size(c, sizeof *defs)};
        defs[at].coltyp = number(c, 20);
        defs[at].cp = chance(c, 80) ? 1200 : (uint16_t)number(c, 65536);
        defs[at].cbMax = chance(c, 70) ? 0 : any_u32(c);
        defs[at].grbit = at == 0 && chance(c, 50) ? JET_bitColumnTTKey : any_grbit(c);
    }
    return defs;
}

static JET_UNICODEINDEX *unicode_index(struct caller *c) {
    JET_UNICODEINDEX *order = place(c, sizeof *order);
    if (order == NULL) return NULL;
    order->lcid = chance(c, 60) ? 1033 : any_u32(c);
    order->dwMapFlags = chance(c, 60) ? 0x30401 : any_u32(c);
    return order;
}

static JET_UNICODEINDEX2 *unicode_index2(struct caller *c) {
    JET_UNICODEINDEX2 *order = place(c, sizeof *order);
    if (order == NULL) return NULL;
    order->szLocaleName = chance(c, 60) ? wide_of(c, "en-US") : any_text(c, 1);
    order->dwMapFlags = chance(c, 60) ? 0x30401 : any_u32(c);
    return order;
}

static JET_SPACEHINTS *space_hints(struct caller *c) {
    if (chance(c, 60)) return NULL;
    JET_SPACEHINTS *hints = memory(c, sizeof *hints);
    *hints = (JET_SPACEHINTS){.cbStruct = told_size(c, sizeof *hints)};
    hints->ulInitialDensity = chance(c, 60) ? 80 : any_u32(c);
    hints->cbInitial = chance(c, 60) ? 0 : number(c, 100000);
    hints->grbit = any_grbit(c);
    hints->ulMaintDensity = chance(c, 60) ? 0 : any_u32(c);
    hints->ulGrowth = chance(c, 60) ? 0 : number(c, 200);
    return hints;
}

static JET_CONDITIONALCOLUMN_W *conditions(struct caller *c, int wide, uint32_t *count) {
    *count = chance(c, 70) ? 0 : number(c, 3);
    JET_CONDITIONALCOLUMN_W *list = memory(c, *count * sizeof *list);
    for (uint32_t at = 0; at < *count; at++) {
        list[at].cbStruct = told_size(c, sizeof *list);
        list[at].szColumnName = any_text(c, wide);
        list[at].grbit = chance(c, 50) ? JET_bitIndexColumnMustBeNull : any_grbit(c);
    }
    return list;
}

static JET_TUPLELIMITS *tuple_limits(struct caller *c) {
    JET_TUPLELIMITS *limits = place(c, sizeof *limits);
    if (limits == NULL) return NULL;
    *limits = (JET_TUPLELIMITS){3, 10, 100, 1, 0};
    if (chance(c, 40)) limits->chLengthMin = any_u32(c);
    if (chance(c, 40)) limits->chLengthMax = any_u32(c);
    if (chance(c, 30)) limits->cchIncrement = any_u32(c);
    if (chance(c, 30)) limits->ichStart = any_u32(c);
    return limits;
}

/* JET_INDEXCREATE, 2 or 3: each begins as the one before. */
static void *index_creates(struct caller *c, int wide, int form, uint32_t count) {
    static const size_t sizes[] = {sizeof(JET_INDEXCREATE_W), sizeof(JET_INDEXCREATE2_W),
                                   sizeof(JET_INDEXCREATE3_W)};
    size_t size = sizes[form - 1];
    uint8_t *list = memory(c, count * size);
    for (uint32_t at = 0; at < count; at++) {
        JET_INDEXCREATE3_W one = {.cbStruct = told_size(c, size)};
        one.szIndexName = any_text(c, wide);
        one.szKey = any_key(c, wide, &one.cbKey);
        one.grbit = chance(c, 50) ? 0 : any_grbit(c);
        one.ulDensity = chance(c, 60) ? 80 : any_u32(c);
        if (one.grbit & JET_bitIndexUnicode || form == 3) {
            one.pidxunicode =
                form == 3 ? (chance(c, 60) ? NULL : unicode_index2(c)) : (void *)unicode_index(c);
        } else {
            one.pidxunicode = (void *)(uintptr_t)(chance(c, 60) ? 0 : any_u32(c));
        }
        if (one.grbit & JET_bitIndexTupleLimits) {
            one.ptuplelimits = tuple_limits(c);
        } else {
            one.cbVarSegMac = chance(c, 60) ? 0 : any_u32(c);
        }
        one.rgconditionalcolumn = conditions(c, wide, &one.cConditionalColumn);
        one.cbKeyMost = chance(c, 80) ? 0 : any_u32(c);
        one.pSpacehints = space_hints(c);
        memcpy(list + at * size, &one, size);
    }
    return list;
}

static JET_USERDEFINEDDEFAULT_W *computed_default(struct caller *c, int wide) {
    JET_USERDEFINEDDEFAULT_W *how = memory(c, sizeof *how);
    how->szCallback = any_text(c, wide);
    how->pbUserData = any_bytes(c, &how->cbUserData);
    how->szDependantColumns = chance(c, 60) ? NULL : any_key(c, wide, &(uint32_t){0});
    return how;
}

static JET_COLUMNCREATE_W *column_creates(struct caller *c, int wide, uint32_t count) {
    JET_COLUMNCREATE_W *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        JET_COLUMNCREATE_W one = {.cbStruct = told_size(c, sizeof one)};
        one.szColumnName = any_text(c, wide);
        one.coltyp = number(c, 20);
        one.cbMax = chance(c, 80) ? 0 : any_u32(c);
        one.grbit = any_grbit(c);
        one.cp = 1200;
        if (one.grbit & JET_bitColumnUserDefinedDefault) {
            one.pvDefault = computed_default(c, wide);
            one.cbDefault = sizeof(JET_USERDEFINEDDEFAULT_W);
        } else if (chance(c, 30)) {
            one.pvDefault = any_bytes(c, &one.cbDefault);
        }
        list[at] = one;
    }
    return list;
}

/* JET_TABLECREATE, 2, 3, 4 or 5. */
static void *table_create(struct caller *c, int wide, int form) {
    uint32_t columns = number(c, 4), indexes = number(c, 3);
    void *column = column_creates(c, wide, columns);
    void *index = index_creates(c, wide, form < 3 ? 1 : form == 3 ? 2 : 3, indexes);
    void *name = any_text(c, wide), *pattern = chance(c, 80) ? NULL : any_text(c, wide);
    void *callback = chance(c, 80) ? NULL : any_text(c, wide);
    uint32_t pages = any_pages(c), density = chance(c, 60) ? 80 : any_u32(c);
    uint32_t grbit = any_grbit(c), cbtyp = callback == NULL ? 0 : any_grbit(c);
#define FILL(type)                                                                                 \
    type *to = memory(c, sizeof *to);                                                              \
    *to = (type){.cbStruct = told_size(c, sizeof *to)};                                            \
    to->szTableName = name;                                                                        \
    to->szTemplateTableName = pattern;                                                             \
    to->ulPages = pages;                                                                           \
    to->ulDensity = density;                                                                       \
    to->rgcolumncreate = column;                                                                   \
    to->cColumns = columns;                                                                        \
    to->rgindexcreate = index;                                                                     \
    to->cIndexes = indexes;                                                                        \
    to->grbit = grbit
#define FILL2(type)                                                                                \
    FILL(type);                                                                                    \
    to->szCallback = callback;                                                                     \
    to->cbtyp = cbtyp
#define FILL3(type)                                                                                \
    FILL2(type);                                                                                   \
    to->pSeqSpacehints = space_hints(c);                                                           \
    to->pLVSpacehints = space_hints(c);                                                            \
    to->cbSeparateLV = chance(c, 60) ? 0 : any_u32(c)
    if (form == 1) {
        FILL(JET_TABLECREATE_W);
        return to;
    }
    if (form == 2) {
        FILL2(JET_TABLECREATE2_W);
        return to;
    }
    if (form == 3) {
        FILL3(JET_TABLECREATE3_W);
        return to;
    }
    if (form == 4) {
        FILL3(JET_TABLECREATE4_W);
        return to;
    }
    FILL3(JET_TABLECREATE5_W);
    to->cbLVChunkMax = chance(c, 80) ? 0 : any_u32(c);
    return to;
}

static void *temporary_table(struct caller *c, int form) {
    uint32_t count = number(c, 4), told = any_count(c, (void *)1, count);
    JET_OPENTEMPORARYTABLE2 *to = memory(c, sizeof *to);
    *to = (JET_OPENTEMPORARYTABLE2){.cbStruct = told_size(c, sizeof *to)};
    to->prgcolumndef = column_defs(c, count);
    to->prgcolumnid = place(c, count * sizeof(JET_COLUMNID));
    to->ccolumn = told;
    to->pidxunicode = form == 2 ? unicode_index2(c) : (void *)unicode_index(c);
    to->grbit = any_grbit(c);
    to->cbKeyMost = chance(c, 80) ? 0 : any_u32(c);
    to->cbVarSegMac = chance(c, 80) ? 0 : any_u32(c);
    return to;
}

static JET_SETCOLUMN *set_columns(struct caller *c, uint32_t count) {
    JET_SETCOLUMN *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at] = (JET_SETCOLUMN){.columnid = (uint32_t)handle(c, COLUMNS, NULL)};
        list[at].pvData = any_bytes(c, &list[at].cbData);
        list[at].grbit = any_grbit(c);
        list[at].ibLongValue = chance(c, 80) ? 0 : number(c, 100000);
        list[at].itagSequence = number(c, 4);
    }
    return list;
}

static JET_RETRIEVECOLUMN *retrieve_columns(struct caller *c, uint32_t count) {
    JET_RETRIEVECOLUMN *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at] = (JET_RETRIEVECOLUMN){.columnid = (uint32_t)handle(c, COLUMNS, NULL)};
        list[at].pvData = any_bytes(c, &list[at].cbData);
        list[at].grbit = any_grbit(c);
        list[at].ibLongValue = chance(c, 80) ? 0 : any_u32(c);
        list[at].itagSequence = chance(c, 80) ? number(c, 4) : any_u32(c);
    }
    return list;
}

static JET_ENUMCOLUMNID *enum_ids(struct caller *c, uint32_t count) {
    JET_ENUMCOLUMNID *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        uint32_t tags = chance(c, 70) ? 0 : number(c, 4);
        list[at].columnid = (uint32_t)handle(c, COLUMNS, NULL);
        list[at].ctagSequence = tags;
        list[at].rgtagSequence = memory(c, tags * 4);
    }
    return list;
}

static JET_INDEX_COLUMN *index_columns(struct caller *c, uint32_t count) {
    JET_INDEX_COLUMN *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at].columnid = (uint32_t)handle(c, COLUMNS, NULL);
        list[at].relop = (JET_RELOP)number(c, 10);
        list[at].pv = any_bytes(c, &list[at].cb);
        list[at].grbit = any_grbit(c);
    }
    return list;
}

static JET_INDEX_RANGE *index_ranges(struct caller *c, uint32_t count) {
    JET_INDEX_RANGE *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at].cStartColumns = number(c, 3);
        list[at].rgStartColumns = index_columns(c, list[at].cStartColumns);
        list[at].cEndColumns = number(c, 3);
        list[at].rgEndColumns = index_columns(c, list[at].cEndColumns);
    }
    return list;
}

static JET_INDEXRANGE *table_ranges(struct caller *c, uint32_t count) {
    JET_INDEXRANGE *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at] = (JET_INDEXRANGE){.cbStruct = told_size(c, sizeof *list)};
        list[at].tableid = (JET_TABLEID)handle(c, TABLES, NULL);
        list[at].grbit = chance(c, 70) ? JET_bitRecordInIndex : any_grbit(c);
    }
    return list;
}

/* Values of parameters: those that are pointers are good ones. */
static uint64_t any_param(struct caller *c, uint32_t paramid) {
    switch (paramid) {
    case JET_paramRuntimeCallback: return chance(c, 50) ? (uintptr_t)called : 0;
    case JET_paramDurableCommitCallback: return chance(c, 50) ? (uintptr_t)durable : 0;
    case JET_paramUnicodeIndexDefault: return (uintptr_t)unicode_index(c);
    /* Room for pages or logs is what disks have; a wait ends before the test does. */
    case JET_paramLogFileSize: return chance(c, 50) ? 128 : number(c, 2000);
    case JET_paramCacheSizeMin: return number(c, 4000);
    default: return chance(c, 90) ? any_u32(c) : UINT64_MAX - number(c, 3);
    }
}

static uint32_t any_paramid(struct caller *c) {
    uint32_t id = chance(c, 90) ? number(c, 230) : any_u32(c);
    if (chance(c, 5)) id = 4096 + number(c, 20);
    /* Without a log, what was open at an abrupt end stays as it is. */
    return id == JET_paramRecovery || id == JET_paramDisablePerfmon ? JET_paramMaxVerPages : id;
}

static JET_SETSYSPARAM_W *set_params(struct caller *c, int wide, uint32_t count) {
    JET_SETSYSPARAM_W *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at].paramid = any_paramid(c);
        list[at].lParam = any_param(c, list[at].paramid);
        list[at].sz = any_text(c, wide);
    }
    return list;
}

static JET_SETDBPARAM *db_params(struct caller *c, uint32_t count) {
    JET_SETDBPARAM *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at].dbparamid = chance(c, 80) ? 4097 + number(c, 8) : any_u32(c);
        list[at].pvParam = any_bytes(c, &list[at].cbParam);
    }
    return list;
}

static JET_RSTMAP_W *restore_maps(struct caller *c, int wide, uint32_t count) {
    JET_RSTMAP_W *list = memory(c, count * sizeof *list);
    for (uint32_t at = 0; at < count; at++) {
        list[at].szDatabaseName = any_text(c, wide);
        list[at].szNewDatabaseName = any_text(c, wide);
    }
    return list;
}

static void *restore_info(struct caller *c, int wide, int form) {
    uint32_t count = chance(c, 60) ? 0 : number(c, 3);
    if (form == 1) {
        JET_RSTINFO_W *info = memory(c, sizeof *info);
        *info = (JET_RSTINFO_W){.cbStruct = told_size(c, sizeof *info)};
        info->rgrstmap = restore_maps(c, wide, count);
        info->crstmap = (int32_t)count;
        info->pfnStatus = chance(c, 50) ? status : NULL;
        return info;
    }
    JET_RSTINFO2_W *info = memory(c, sizeof *info);
    *info = (JET_RSTINFO2_W){.cbStruct = told_size(c, sizeof *info)};
    info->crstmap = 0;
    info->pfnCallback = chance(c, 50) ? init_status : NULL;
    return info;
}
