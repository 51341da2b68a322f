/* A bookstore: books with an index by title, orders, sales that are whole or nothing, two customers
 * who reach for the same book, and a temporary table that sorts what is to be ordered again.
 *
 *     cc -I../include bookstore.c -lesent -o bookstore && ./bookstore
 */
#include "example.h"

static const struct {
    int32_t id;
    const char *title;
    int32_t cents, stock;
} BOOKS[] = {
    {1, "The Left Hand of Darkness", 1499, 3},
    {2, "Solaris", 1299, 0},
    {3, "Kindred", 1399, 7},
    {4, "Roadside Picnic", 1199, 2},
};
enum { BOOK_COUNT = sizeof(BOOKS) / sizeof(BOOKS[0]) };

typedef struct {
    JET_SESID session;
    JET_DBID dbid;
    JET_TABLEID books, orders;
} STORE;

/* Columns are the same for every cursor on a table. */
static JET_COLUMNID id, title, cents, stock, order_book, order_customer;

static void define(STORE *store)
{
    JET_COLUMNCREATE_A columns[4];
    JET_INDEXCREATE_A indexes[2];
    define_column(&columns[0], "id", JET_coltypLong, JET_bitColumnNotNULL);
    define_column(&columns[1], "title", JET_coltypText, 0);
    define_column(&columns[2], "cents", JET_coltypLong, 0);
    define_column(&columns[3], "stock", JET_coltypLong, 0);
    define_index(&indexes[0], "by id", "+id\0", 5, JET_bitIndexPrimary | JET_bitIndexUnique);
    define_index(&indexes[1], "by title", "+title\0", 8, 0);
    store->books = make_table(store->session, store->dbid, "books", columns, 4, indexes, 2);
    id = columns[0].columnid;
    title = columns[1].columnid;
    cents = columns[2].columnid;
    stock = columns[3].columnid;
    define_column(&columns[0], "number", JET_coltypLong, JET_bitColumnAutoincrement);
    define_column(&columns[1], "book", JET_coltypLong, 0);
    define_column(&columns[2], "customer", JET_coltypLongText, 0);
    define_index(&indexes[0], "by number", "+number\0", 9, JET_bitIndexPrimary);
    store->orders = make_table(store->session, store->dbid, "orders", columns, 3, indexes, 1);
    order_book = columns[1].columnid;
    order_customer = columns[2].columnid;
}

static int32_t number_of(const STORE *store, JET_TABLEID table, JET_COLUMNID column)
{
    int32_t number = 0;
    CALL(JetRetrieveColumn(store->session, table, column, &number, sizeof(number), NULL, 0, NULL));
    return number;
}

static void fill(const STORE *store)
{
    JET_SETCOLUMN values[4];
    CALL(JetBeginTransaction(store->session));
    for (int at = 0; at < BOOK_COUNT; at++) {
        memset(values, 0, sizeof(values));
        values[0].columnid = id;
        values[0].pvData = &BOOKS[at].id;
        values[1].columnid = title;
        values[1].pvData = BOOKS[at].title;
        values[2].columnid = cents;
        values[2].pvData = &BOOKS[at].cents;
        values[3].columnid = stock;
        values[3].pvData = &BOOKS[at].stock;
        for (int column = 0; column < 4; column++) values[column].cbData = sizeof(int32_t);
        values[1].cbData = (uint32_t)strlen(BOOKS[at].title);
        CALL(JetPrepareUpdate(store->session, store->books, JET_prepInsert));
        CALL(JetSetColumns(store->session, store->books, values, 4));
        CALL(JetUpdate(store->session, store->books, NULL, 0, NULL));
    }
    CALL(JetCommitTransaction(store->session, 0));
}

static void go_to(const STORE *store, int32_t book)
{
    CALL(JetMakeKey(store->session, store->books, &book, sizeof(book), JET_bitNewKey));
    CALL(JetSeek(store->session, store->books, JET_bitSeekEQ));
}

/* Takes one book from the row under the cursor. Gives what came of it. */
static JET_ERR take(const STORE *store)
{
    int32_t left = number_of(store, store->books, stock) - 1;
    JET_ERR code = JetPrepareUpdate(store->session, store->books, JET_prepReplace);
    if (code < 0) return code;
    CALL(JetSetColumn(store->session, store->books, stock, &left, sizeof(left), 0, NULL));
    return CALL(JetUpdate(store->session, store->books, NULL, 0, NULL));
}

/* One book less and one order more, or neither. */
static int sell(const STORE *store, int32_t book, const char *customer)
{
    CALL(JetBeginTransaction(store->session));
    go_to(store, book);
    CALL(JetPrepareUpdate(store->session, store->orders, JET_prepInsert));
    CALL(JetSetColumn(store->session, store->orders, order_book, &book, sizeof(book), 0, NULL));
    CALL(JetSetColumn(store->session, store->orders, order_customer, customer,
                      (uint32_t)strlen(customer), 0, NULL));
    CALL(JetUpdate(store->session, store->orders, NULL, 0, NULL));
    if (number_of(store, store->books, stock) == 0) {
        CALL(JetRollback(store->session, 0));
        return 0;
    }
    CALL(take(store));
    CALL(JetCommitTransaction(store->session, 0));
    return 1;
}

static void list(const STORE *store)
{
    char name[128];
    uint32_t size = 0;
    CALL(JetSetCurrentIndexA(store->session, store->books, "by title"));
    for (JET_ERR code = JetMove(store->session, store->books, JET_MoveFirst, 0); code >= 0;
         code = JetMove(store->session, store->books, JET_MoveNext, 0)) {
        CALL(JetRetrieveColumn(store->session, store->books, title, name, sizeof(name), &size, 0,
                               NULL));
        printf("%.*s: %d left\n", (int)size, name, (int)number_of(store, store->books, stock));
    }
    CALL(JetSetCurrentIndexA(store->session, store->books, NULL));
}

/* The second of two who change one row is refused at once, and may try again later. */
static void conflict(const STORE *store, JET_INSTANCE instance)
{
    STORE other = *store;
    CALL(JetBeginSessionA(instance, &other.session, NULL, NULL));
    CALL(JetOpenDatabaseA(other.session, "bookstore.edb", NULL, &other.dbid, 0));
    CALL(JetOpenTableA(other.session, other.dbid, "books", NULL, 0, 0, &other.books));
    CALL(JetBeginTransaction(store->session));
    CALL(JetBeginTransaction(other.session));
    go_to(store, 4);
    go_to(&other, 4);
    CALL(take(store));
    printf("the second customer waits: %s\n",
           take(&other) == JET_errWriteConflict ? "JET_errWriteConflict" : "no");
    CALL(JetRollback(other.session, 0));
    CALL(JetCommitTransaction(store->session, 0));
    CALL(JetEndSession(other.session, 0));
}

/* Titles of which few are left, fewest first. */
static void reorder(const STORE *store)
{
    JET_COLUMNDEF columns[2];
    JET_COLUMNID ids[2];
    JET_TABLEID sorted = JET_tableidNil;
    memset(columns, 0, sizeof(columns));
    for (int at = 0; at < 2; at++) {
        columns[at].cbStruct = sizeof(columns[at]);
        columns[at].coltyp = JET_coltypLong;
        columns[at].grbit = JET_bitColumnTTKey;
    }
    CALL(JetOpenTempTable(store->session, columns, 2, JET_bitTTScrollable, &sorted, ids));
    for (JET_ERR code = JetMove(store->session, store->books, JET_MoveFirst, 0); code >= 0;
         code = JetMove(store->session, store->books, JET_MoveNext, 0)) {
        int32_t values[2];
        values[0] = number_of(store, store->books, stock);
        values[1] = number_of(store, store->books, id);
        CALL(JetPrepareUpdate(store->session, sorted, JET_prepInsert));
        for (int at = 0; at < 2; at++)
            CALL(JetSetColumn(store->session, sorted, ids[at], &values[at], 4, 0, NULL));
        CALL(JetUpdate(store->session, sorted, NULL, 0, NULL));
    }
    CALL(JetMove(store->session, sorted, JET_MoveFirst, 0));
    printf("to be ordered next: book %d\n", (int)number_of(store, sorted, ids[1]));
    CALL(JetCloseTable(store->session, sorted));
}

int main(void)
{
    JET_INSTANCE instance = JET_instanceNil;
    STORE store;
    memset(&store, 0, sizeof(store));
    make_instance(&instance, "bookstore");
    CALL(JetInit(&instance));
    CALL(JetBeginSessionA(instance, &store.session, NULL, NULL));
    CALL(JetCreateDatabaseA(store.session, "bookstore.edb", NULL, &store.dbid, 0));
    define(&store);
    fill(&store);
    printf("book 1: %s\n", sell(&store, 1, "Ada") ? "sold" : "sold out");
    printf("book 2: %s\n", sell(&store, 2, "Edsger") ? "sold" : "sold out");
    conflict(&store, instance);
    list(&store);
    reorder(&store);
    CALL(JetEndSession(store.session, 0));
    CALL(JetTerm2(instance, JET_bitTermComplete));
    puts("done");
    return 0;
}
