package Relay::Schema;
use base "DBIx::Class::Schema";
__PACKAGE__->load_components("Schema::Versioned");
use DBIx::Class::DeploymentHandler;
1;
