"""A bookstore: books, orders that belong together, an index by title, a sale that conflicts.

    python3 bookstore.py FOLDER
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import esent  # noqa: E402

BOOKS = [
    (1, "The Left Hand of Darkness", "Ursula K. Le Guin", 1499, 3),
    (2, "Solaris", "Stanis\u0142aw Lem", 1299, 0),
    (3, "Kindred", "Octavia E. Butler", 1399, 7),
    (4, "Roadside Picnic", "Arkady and Boris Strugatsky", 1199, 2),
]


def define(session, dbid):
    books = session.create_table(
        dbid, "books",
        [esent.column("id", esent.JET_coltypLong, esent.JET_bitColumnNotNULL),
         esent.column("title", esent.JET_coltypText),
         esent.column("author", esent.JET_coltypText),
         esent.column("cents", esent.JET_coltypLong),
         esent.column("stock", esent.JET_coltypLong)],
        [esent.index("by id", "+id", esent.JET_bitIndexPrimary | esent.JET_bitIndexUnique),
         esent.index("by title", "+title")])
    orders = session.create_table(
        dbid, "orders",
        [esent.column("number", esent.JET_coltypLong, esent.JET_bitColumnAutoincrement),
         esent.column("book", esent.JET_coltypLong),
         esent.column("customer", esent.JET_coltypLongText)],
        [esent.index("by number", "+number", esent.JET_bitIndexPrimary)])
    return books, orders


def sell(session, books, orders, book, customer):
    """One book less and one order more, or neither."""
    with session.transaction():
        if not books.seek(("id", book)):
            raise LookupError(f"there is no book {book}")
        stock = books.get("stock")
        orders.insert(book=book, customer=customer)
        if stock == 0:
            raise LookupError(f"{books.get('title')} is sold out")
        books.replace(stock=stock - 1)


def main(folder):
    with esent.Instance(folder) as instance, instance.session() as session:
        dbid = session.create_database(f"{folder}/bookstore.edb")
        books, orders = define(session, dbid)
        with session.transaction():
            for number, title, author, cents, stock in BOOKS:
                books.insert(id=number, title=title, author=author, cents=cents, stock=stock)
        sell(session, books, orders, 1, "Ada")
        sell(session, books, orders, 3, "Grace")
        try:
            sell(session, books, orders, 2, "Edsger")
        except LookupError as error:
            print(error)
        try:
            with session.transaction():
                books.insert(id=1, title="Another")
        except esent.KeyDuplicate as error:
            print(error.name)
        books.use("by title")
        for title, author, stock in books.rows("title", "author", "stock"):
            print(f"{title} | {author} | {stock}")
        print("orders:", [customer for (customer,) in orders.rows("customer")])
        # Two customers reach for the same book.
        with instance.session() as other:
            other_dbid = other.open_database(f"{folder}/bookstore.edb")
            theirs = other.open_table(other_dbid, "books")
            with session.transaction():
                books.use()
                books.seek(("id", 4))
                books.replace(stock=1)
                try:
                    with other.transaction():
                        theirs.seek(("id", 4))
                        theirs.replace(stock=1)
                except esent.WriteConflict as error:
                    print(error.name)


if __name__ == "__main__":
    main(sys.argv[1])
