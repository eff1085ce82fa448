-- DropColumn
ALTER TABLE "User" DROP COLUMN "note";
