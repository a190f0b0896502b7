INSERT INTO item (name, cents) VALUES ('coffee', 520), ('cake', 380);
