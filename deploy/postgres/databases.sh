#!/bin/sh
# The image of PostgreSQL runs this once, when its volume is empty. Makes a database for each service, and a
# user that owns it and may connect to no other. The passwords are in <SERVICE>_DATABASE_PASSWORD.
set -eu

statements() {
  echo 'revoke all on database postgres, template1 from public;'
  for service in user order payment delivery event; do
    variable=$(echo "$service" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD
    eval "password=\${$variable:?}"
    case $password in
      *[!A-Za-z0-9_-]*)
        echo "$variable stands in a URL: letters, digits, - and _ only" >&2
        return 1
        ;;
    esac
    echo "create role \"$service\" login password '$password';"
    echo "create database \"$service\" owner \"$service\";"
    echo "revoke all on database \"$service\" from public;"
  done
}

# In one piece or not at all: a pipe would run what was said before it broke.
sql=$(statements)
echo "$sql" | psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres
