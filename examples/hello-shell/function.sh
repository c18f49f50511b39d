# The function: gets the event as its first argument, prints the result, logs on standard error.
hello() {
  local name=someone
  [[ $1 =~ \"name\":\ *\"([^\"]*)\" ]] && name=${BASH_REMATCH[1]}
  echo "greeting $name" >&2
  printf '{"message":"Hello, %s!","bash":"%s"}' "$name" "$BASH_VERSION"
}
