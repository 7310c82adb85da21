// RocksDB by its C interface.
#include <rocksdb/c.h>
