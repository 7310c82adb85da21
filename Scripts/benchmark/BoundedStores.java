import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/**
 * Bounds what all stores of a Kafka Streams process take outside Java's heap, as its documentation
 * advises: one cache of -Dstate.memory bytes for the blocks of all stores, and what is not written
 * yet counts in it, up to half. Indexes and filters stay outside the cache, as Kafka Streams has it:
 * inside, a large filter is read again and again.
 */
public final class BoundedStores implements RocksDBConfigSetter {
  private static final long BYTES = Long.getLong("state.memory");
  private static final Cache CACHE = new LRUCache(BYTES);
  private static final WriteBufferManager UNWRITTEN = new WriteBufferManager(BYTES / 2, CACHE);

  @Override
  public void setConfig(String store, Options options, Map<String, Object> configs) {
    BlockBasedTableConfig tables = (BlockBasedTableConfig) options.tableFormatConfig();
    tables.setBlockCache(CACHE);
    options.setTableFormatConfig(tables);
    options.setWriteBufferManager(UNWRITTEN);
  }

  @Override
  public void close(String store, Options options) {
    // The cache and the rest belong to the process, not to a store.
  }
}
