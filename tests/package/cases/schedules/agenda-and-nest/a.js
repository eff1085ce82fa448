const Agenda = require("agenda");
agenda.every("3 minutes", "delete old users");
