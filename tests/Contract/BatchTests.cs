using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Common rules: batches.</summary>
public sealed class BatchTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task Operations_are_answered_with_200_in_order_each_with_its_status_and_its_data_or_error()
    {
        var (kept, gone) = (await Contact(new { email = Email("kept") }), await Contact());

        var batch = await Batch(
            "contacts", atomic: false, new { op = "create", data = new { email = Email("new"), first_name = "Jane" } },
            new { op = "update", id = kept.Id, data = new { first_name = "Joan" } },
            new { op = "upsert", match_on = "email", data = new { email = Email("kept"), last_name = "Smith" } },
            new { op = "upsert", match_on = "email", data = new { email = Email("other") } },
            new { op = "delete", id = gone.Id }, new { op = "create", data = new { email = Email("new") } },
            new { op = "create", data = new { email = "nonsense", phone = 1 } }, new { op = "delete", id = NoOne("ct_") });

        Assert.Equal([201, 200, 200, 201, 204, 409, 400, 404], Statuses(batch.Is(200)));
        Assert.Equal(
            ["new", "kept", "kept", "other"], batch.List.Take(4).Select(item => item["data"]!["attributes"]!["email"]!.GetValue<string>().Split('.')[0]));
        Assert.Equal("contact", (string?)batch.List[0]["data"]!["type"]);
        Assert.Equal(
            ("Joan", "Smith"), ((string?)batch.List[2]["data"]!["attributes"]!["first_name"], (string?)batch.List[2]["data"]!["attributes"]!["last_name"]));
        Assert.Equal(["CONFLICT", "VALIDATION_ERROR", "NOT_FOUND"], batch.List.Skip(5).Select(item => (string?)item["error"]!["code"]));
        Assert.Equal(["email", "phone"], batch.List[6]["error"]!["details"]!.AsArray().Select(detail => (string?)detail!["field"]));
        Assert.Matches("^req_", (string?)batch.Meta["request_id"]);
        (await Api.Get($"contacts/{gone.Id}")).IsError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task With_atomic_all_are_done()
    {
        var contact = await Contact(new { email = Email() });

        var batch = await Batch("contacts", atomic: true, new { op = "create", data = new { source = Unique } },
            new { op = "update", id = contact.Id, data = new { source = Unique } }, new { op = "create", data = new { source = Unique } });

        Assert.Equal([201, 200, 201], Statuses(batch.Is(200)));
        Assert.Equal(3, (await Api.Get($"contacts?source={Unique}")).List.Count);
    }

    [Fact]
    public async Task With_atomic_none_is_done_where_one_fails_and_the_answer_is_the_first_failures_status_and_error_its_index_in_details()
    {
        var taken = await Contact(new { email = Email() });

        var conflict = await Batch("contacts", atomic: true, new { op = "create", data = new { source = Unique } },
            new { op = "create", data = new { email = Email() } }, new { op = "create", data = new { email = "nonsense" } });
        var invalid = await Batch("contacts", atomic: true, new { op = "update", id = taken.Id, data = new { source = Unique } },
            new { op = "create", data = new { source = Unique } }, new { op = "create", data = new { email = "nonsense" } });
        var missing = await Batch("contacts", atomic: true, new { op = "create", data = new { source = Unique } }, new { op = "delete", id = NoOne("ct_") });
        var unlinked = await Batch("contacts", atomic: true, new { op = "create", data = new { source = Unique, company_id = NoOne("co_") } });

        Assert.Contains("[1]", conflict.IsError(409, "CONFLICT").Fields[0], StringComparison.Ordinal);
        Assert.Contains("[2]", invalid.IsError(400, "VALIDATION_ERROR").Fields[0], StringComparison.Ordinal);
        Assert.Contains("[1]", missing.IsError(404, "NOT_FOUND").Fields[0], StringComparison.Ordinal);
        Assert.Contains("[0]", unlinked.IsError(422, "UNPROCESSABLE_ENTITY").Fields[0], StringComparison.Ordinal);
        Assert.Empty((await Api.Get($"contacts?source={Unique}")).List);
        Assert.Equal("\"1\"", (await Api.Get($"contacts/{taken.Id}")).ETag);
    }

    [Fact]
    public async Task There_are_up_to_100_operations()
    {
        object[] operations = [.. Enumerable.Range(0, 101).Select(_ => new { op = "create", data = new { source = Unique } })];

        (await Batch("contacts", atomic: false, operations)).IsInvalid("operations");
        foreach (var atomic in new[] { false, true })
            Assert.All(Statuses((await Batch("contacts", atomic, operations[..100])).Is(200)), status => Assert.Equal(201, status));
        (await Batch("contacts", atomic: false)).IsInvalid("operations");
        Assert.Equal(200, (await Api.Pages($"contacts?source={Unique}&limit=100")).Sum(page => page.List.Count));
    }

    [Fact]
    public async Task An_upsert_matches_a_unique_field()
    {
        foreach (var (collection, field, data) in new (string, string, object)[]
        {
            ("contacts", "email", new { email = Email() }), ("companies", "domain", new { name = "Acme", domain = $"{Unique}.example.com" }),
        })
        {
            var upsert = new { op = "upsert", match_on = field, data };
            Assert.Equal([201, 200], Statuses((await Batch(collection, atomic: false, upsert, upsert)).Is(200)));
        }

        (await Batch("contacts", atomic: false, new { op = "upsert", match_on = "phone", data = new { phone = "1" } })).IsInvalid("operations[0].match_on");
        Assert.Equal([400], Statuses((await Batch("contacts", atomic: false, new { op = "upsert", match_on = "email", data = new { phone = "1" } })).Is(200)));
    }

    [Theory]
    [InlineData("""{"operations":[{"op":"destroy"}]}""")]
    [InlineData("""{"operations":[{"op":"create"}]}""")]
    [InlineData("""{"operations":[{"op":"update","data":{}}]}""")]
    [InlineData("""{"operations":[{"op":"delete","id":"nonsense"}]}""")]
    [InlineData("""{"operations":[],"nonsense":1}""")]
    [InlineData("""{"operations":{}}""")]
    [InlineData("""{}""")]
    public async Task What_is_no_operation_is_400(string body) => (await Api.Post("contacts/batch", body)).IsInvalid();

    [Fact]
    public async Task An_Idempotency_Key_gives_a_repeated_batch_its_stored_answer()
    {
        foreach (var atomic in new[] { false, true })
        {
            var body = new { operations = new object[] { new { op = "create", data = new { source = Unique } } }, atomic };
            var first = Learn("contacts", await Api.Post("contacts/batch", body, ("Idempotency-Key", $"{Unique}-{atomic}"))).Is(200);
            var repeat = (await Api.Post("contacts/batch", body, ("Idempotency-Key", $"{Unique}-{atomic}"))).Is(200);
            Assert.Equal((first.Text, "true"), (repeat.Text, repeat.Header("Idempotency-Replayed")));
        }

        Assert.Equal(2, (await Api.Get($"contacts?source={Unique}")).List.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dry_run_answers_what_would_be_and_stores_nothing(bool atomic)
    {
        var contact = await Contact();
        object[] operations = [new { op = "create", data = new { source = Unique, email = Email() } }, new { op = "delete", id = contact.Id },
            new { op = "create", data = new { email = Email() } }];

        var dryRun = await Api.Post("contacts/batch?dry_run=true", new { operations, atomic });

        if (atomic) Assert.Contains("[2]", dryRun.IsError(409, "CONFLICT").Fields[0], StringComparison.Ordinal);
        else Assert.Equal([201, 204, 409], Statuses(dryRun.Is(200)));
        Assert.Empty((await Api.Get($"contacts?source={Unique}")).List);
        (await Api.Get($"contacts/{contact.Id}")).Is(200);
    }

    [Theory]
    [InlineData("companies")]
    [InlineData("deals")]
    [InlineData("activities")]
    public async Task Every_resource_takes_batches(string collection)
    {
        object data = collection switch { "companies" => new { name = "Acme" }, "deals" => new { title = "Licence" }, _ => new { type = "note" } };

        var made = await Batch(collection, atomic: true, new { op = "create", data }, new { op = "create", data });
        Assert.Equal([201, 201], Statuses(made.Is(200)));
        Assert.Equal([204, 204],
            Statuses((await Batch(collection, atomic: true, [.. made.List.Select(item => new { op = "delete", id = (string?)item["data"]!["id"] })])).Is(200)));
    }

    private async Task<Answer> Batch(string collection, bool atomic, params object[] operations) =>
        Learn(collection, await Api.Post($"{collection}/batch", new { operations, atomic }));

    /// <summary>Has deleted after the test what a batch has made.</summary>
    private Answer Learn(string collection, Answer batch)
    {
        if (batch.Status == 200) MadeIds(collection, batch.List.Where(item => (int)item["status"]! == 201).Select(item => (string)item["data"]!["id"]!));
        return batch;
    }

    private static IEnumerable<int> Statuses(Answer batch) => batch.List.Select(item => (int)item["status"]!);
}
