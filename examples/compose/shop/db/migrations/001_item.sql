CREATE TABLE item (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text    NOT NULL UNIQUE,
    cents integer NOT NULL CHECK (cents >= 0)
);
