BEGIN;
ALTER TYPE mood ADD VALUE 'calm';
UPDATE t SET m = 'calm' WHERE id = 1;
COMMIT;