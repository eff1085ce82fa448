<?php
final class Version1 extends AbstractMigration {
    public function up(Schema $schema): void
    {
        // $this->addSql('DROP TABLE kept');
        $this->addSql('DROP TABLE orders');
    }
    public function down(Schema $schema): void
    {
        $this->throwIrreversibleMigrationException();
    }
}
