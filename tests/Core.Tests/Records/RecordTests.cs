using System.Text;
using NodeStash.Core.Resources;
using Record = NodeStash.Core.Records.Record;

namespace NodeStash.Core.Tests.Records;

public sealed class RecordTests
{
    [Fact]
    public void A_change_of_what_nothing_is_found_by_leaves_the_keys_of_a_new_record_as_they_are()
    {
        var made = Record.New(Contact.Schema, "ct_0000000000000000000A", DateTimeOffset.UnixEpoch);
        made[Contact.Email] = "jane@example.com";

        var changed = Record.Load(Contact.Schema, made.Store()).Next();
        changed[Contact.Title] = "Director";

        Assert.Equal(Encoding.UTF8.GetString(made.Keys().Span), Encoding.UTF8.GetString(changed.Keys().Span));
    }
}
