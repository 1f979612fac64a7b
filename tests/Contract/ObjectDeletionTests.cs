using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Custom objects: the deletion of one with records, which a job carries through.</summary>
public sealed class ObjectDeletionTests(Deployment deployment) : ContractTests(deployment)
{
    private static readonly TimeSpan GivesUpAfter = TimeSpan.FromMinutes(1);

    private string Records => $"objects/{Unique}/records";

    [Fact]
    public async Task Deleting_a_definition_needs_force_while_records_exist_and_takes_them_with_it()
    {
        var made = (await Create()).Is(201);
        MadeIds("objects", [$"{made.Id}?force=true"]);
        var operations = Enumerable.Range(0, 60).Select(i => new { op = "create", data = new { name = $"P{i}" } });
        var records = (await Api.Post($"{Records}/batch", new { operations })).Is(200);
        Assert.Contains("force=true", (await Api.Delete($"objects/{Unique}")).IsError(409, "CONFLICT").Message, StringComparison.Ordinal);

        (await Api.Delete($"objects/{Unique}?force=true")).Is(204);

        foreach (var path in new[] { $"objects/{Unique}", $"objects/{made.Id}", Records, $"{Records}/{(string?)records.List[0]["data"]!["id"]}" })
            (await Api.Get(path)).IsError(404, "NOT_FOUND");
        Assert.Empty((await Api.Get($"custom-fields?entity_type={Unique}")).Is(200).List);
        var again = await OnceTheSlugIsFree();
        MadeIds("objects", [$"{again.Id}?force=true"]);
        Assert.Empty((await Api.Get(Records)).Is(200).List);
        Assert.Equal(60, (await Api.Get($"events?type={Unique}.deleted&limit=100")).Is(200).List.Count);
    }

    private Task<Answer> Create() => Api.Post("objects", new { singular_name = "Project", plural_name = Unique });

    private async Task<Answer> OnceTheSlugIsFree()
    {
        using var patience = new CancellationTokenSource(GivesUpAfter, TimeProvider.System);
        var answer = await Create();
        while (answer.Status == 409 && !patience.IsCancellationRequested) answer = await Create();
        return answer.Is(201);
    }
}
