ALTER TABLE rooms ADD COLUMN topic text;
