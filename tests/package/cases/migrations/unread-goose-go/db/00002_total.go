package db
func init() { goose.AddMigrationContext(up, down) }
