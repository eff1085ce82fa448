<?php
namespace DoctrineMigrations;
use Doctrine\DBAL\Schema\Schema;
use Doctrine\Migrations\AbstractMigration;
final class Version20240101000000 extends AbstractMigration
{
    public function up(Schema $schema): void
    {
        $this->addSql('CREATE TABLE notes (id INT)');
        $schema->getTable('orders')->dropColumn('note');
    }
    public function down(Schema $schema): void
    {
        $schema->dropTable('notes');
        $schema->getTable('orders')->addColumn('note', 'text', ['notnull' => false]);
    }
}
