import Expressions
import Formats
import Product
import Records

/// What a tombstone of a state port does: it names a row, by its key alone, and takes back what the
/// port's records have given to the row of the same key in this product's tables.
final class DeletionPlan {
  /// A field of the port's key, in the order of the key.
  struct Field {
    /// As it begins a member: `"customer":`.
    let name: ByteBuffer
    /// Whether JSON writes it in quotes.
    let isQuoted: Bool
  }

  /// A table's row, and the columns that are set back to their beginning.
  final class Undoing {
    let table: TablePlan
    let key: KeyPlan
    let columns: ContiguousArray<Int>
    /// See ``ClausePlan/presence``.
    let presence: Int64

    init(table: TablePlan, key: KeyPlan, columns: [Int], presence: Int64) {
      self.presence = presence
      self.table = table
      self.key = key
      self.columns = ContiguousArray(columns)
    }
  }

  /// What apply of one journal does.
  final class Work {
    let tables: Lent<Undoing>
    /// Whether this journal's apply counts it.
    let counts: Bool

    init(_ tables: ContiguousArray<Undoing>, counts: Bool) {
      self.tables = Lent(tables)
      self.counts = counts
    }
  }

  let fields: ContiguousArray<Field>
  /// Reads a document that is made of the key.
  let decode: DecodePlan
  /// Journals that take it; empty: it means nothing to the product.
  let journals: Lent<EventPlan.JournalKey>
  /// By journal; without tables where it does not take it.
  let work: Lent<Work>

  init(
    fields: [ContractField], decode: DecodePlan, journals: ContiguousArray<EventPlan.JournalKey>,
    work: ContiguousArray<Work>
  ) {
    self.fields = ContiguousArray(
      fields.map { field in
        let name = ByteBuffer(capacity: 64)
        name.appendJSON(string: field.name)
        name.append(UInt8(ascii: ":"))
        return Field(name: name, isQuoted: [.string, .timestamp, .date].contains(field.type))
      })
    self.decode = decode
    self.journals = Lent(journals)
    self.work = Lent(work)
  }
}
