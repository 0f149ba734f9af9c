CREATE TABLE product (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  department TEXT NOT NULL,
  price_cents INTEGER NOT NULL,
  description TEXT NOT NULL
) STRICT;
CREATE INDEX product_by_department ON product (department, price_cents);

CREATE TABLE review (
  product_id INTEGER NOT NULL REFERENCES product (id),
  stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
  author TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX review_by_product ON review (product_id, stars);

CREATE VIRTUAL TABLE product_text USING fts5 (name, department, description, content = 'product', content_rowid = 'id');

CREATE TABLE customer_order (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  total_cents INTEGER NOT NULL
) STRICT;

CREATE TABLE order_line (
  order_id INTEGER NOT NULL REFERENCES customer_order (id),
  product_id INTEGER NOT NULL REFERENCES product (id),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id)
) STRICT, WITHOUT ROWID;
