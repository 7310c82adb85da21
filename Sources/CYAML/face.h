// libyaml, as it is: its event API needs no help.
#include <yaml.h>
