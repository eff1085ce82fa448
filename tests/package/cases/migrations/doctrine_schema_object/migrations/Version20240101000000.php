<?php
namespace DoctrineMigrations;
use Doctrine\DBAL\Schema\Schema;
use Doctrine\Migrations\AbstractMigration;
final class Version20240101000000 extends AbstractMigration
{
    public function up(Schema $schema): void
    {
        $orders = $schema->getTable('orders');
        $orders->dropColumn('note');
        $orders->addColumn('paid', 'boolean', ['notnull' => false]);
    }
    public function down(Schema $schema): void
    {
        $orders = $schema->getTable('orders');
        $orders->addColumn('note', 'string', ['notnull' => false]);
        $orders->dropColumn('paid');
    }
}
