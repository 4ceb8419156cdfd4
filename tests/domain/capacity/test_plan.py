"""Plans: what they add up to, in which order they stand, and why there are none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.loader import load_catalogue
from advisor.domain.capacity import targets
from advisor.domain.capacity.nodes import Price
from advisor.domain.capacity.options import Subject, llama_on_node, vllm_on_node
from advisor.domain.capacity.plan import Plans, ServingPlan, make_plans, with_spare
from advisor.domain.capacity.replica import Refusal, Replica
from advisor.domain.capacity.report import plan_lines, plan_row, plans_document
from advisor.domain.capacity.simulation import Limits
from advisor.domain.capacity.targets import capacity, holds, percentile, run_at
from advisor.domain.model import Shape
from advisor.domain.placement import Pool
from advisor.paths import knowledge_dir
from advisor.units import GIB
from tests.builders import LLAMA_3_8B, LLAMA_70B
from tests.domain.capacity.making import node, subject, vllm_replica

SMALL_CPU = (Pool("RAM", "ram", 16 * GIB, None, 50e9, None, "cpu", cores=4),)
LLAMA_405B = Shape("llama", 126, 16384, 128, 8, 128, 53248, 128256, tied_embeddings=False)


def planned(found: Subject, *names: str) -> Plans:
    return make_plans(found, SMALL_CPU, 4, None, [node(name) for name in names])


def many_users() -> Subject:
    return subject(scale__users=5000, latency__ttft_ms=2000)


@pytest.fixture(scope="module")
def plans() -> Plans:
    return planned(many_users(), "H100 server", "g6e.xlarge", "p5.48xlarge")


def on(plans: Plans, engine: str, place: str) -> ServingPlan:
    return next(p for p in plans.plans if p.replica.engine == engine and p.replica.place == place)


def test_the_targets_hold_with_one_replica_lost(plans: Plans) -> None:
    found = plans.subject
    for plan in plans.plans:
        assert holds(plan.metrics, found.targets)
        assert plan.size.replicas == plan.needed + 1
        rate = found.traffic.requests_per_s / plan.needed
        assert rate <= plan.capacity.requests_per_s * (1 + 1e-9)
        assert plan.capacity.requests_per_s < plan.capacity.bound_requests_per_s


def test_a_machine_that_carries_one_user_carries_1_user(plans: Plans) -> None:
    plan = plans.plans[0]
    found = plans.subject
    of_one = replace(plans, subject=replace(found, traffic=replace(found.traffic, users=1)))
    slow = replace(plan, capacity=replace(plan.capacity, requests_per_s=found.traffic.requests_per_s))
    assert "1 user" in plan_row(slow, of_one)
    assert any("beyond 1 user (" in line for line in plan_lines(slow, of_one)[1])


def test_machines_hold_the_replicas_and_growth_follows_the_load(plans: Plans) -> None:
    for plan in plans.plans:
        assert plan.node is not None
        assert plan.per_machine == plan.node.count // plan.replica.gpus
        for size in plan.growth:
            assert size.machines * plan.per_machine >= size.replicas > (size.machines - 1) * plan.per_machine
            assert size.gpus == size.machines * plan.node.count
        assert [s.factor for s in plan.growth] == [1, 2, 5, 10]
        replicas = [s.replicas for s in plan.growth]
        assert replicas == sorted(replicas)
        assert replicas[-1] - 1 <= 10 * (replicas[0] - 1)


def test_the_search_ends_where_the_targets_break() -> None:
    found = many_users()
    replica = vllm_replica("L4", slots=64)
    most = capacity(replica, found.traffic, found.targets)
    assert 0 < most.requests_per_s < most.bound_requests_per_s
    assert holds(run_at(replica, found.traffic, most.requests_per_s, found.targets, 1500), found.targets)
    beyond = run_at(replica, found.traffic, 1.3 * most.bound_requests_per_s, found.targets, 4000)
    assert not holds(beyond, found.targets)


def test_prices_come_first_and_unknown_prices_are_ordered_by_gpus(plans: Plans) -> None:
    assert all(plan.size.cost_usd_hour is None for plan in plans.plans)
    gpus = [plan.size.gpus for plan in plans.plans]
    assert gpus == sorted(gpus)
    priced = replace(node("p5.48xlarge"), price=Price(9.0, "made for a test", "2026-11-27"))
    found = make_plans(many_users(), SMALL_CPU, 4, None, [node("H100 server"), priced], ("vllm",))
    assert found.plans[0].replica.place == "p5.48xlarge"
    assert found.plans[0].size.cost_usd_hour == 9.0 * found.plans[0].size.machines
    assert plans_document(found)["plans"][0]["price"]["checked"] == "2026-11-27"


def test_one_machine_ends_at_the_users_it_carries(plans: Plans) -> None:
    plan = on(plans, "vllm", "H100 server")
    document = plans_document(plans)["plans"][plans.plans.index(plan)]
    users = document["one_machine"]["users"]
    assert users == int(5000 * plan.capacity.requests_per_s / plans.subject.traffic.requests_per_s)
    assert planned(subject(scale__users=users, latency__ttft_ms=2000), "H100 server").plans[0].needed == 1


def test_llama_cpp_reserves_whole_contexts_and_vllm_pages(plans: Plans) -> None:
    llama, paged = on(plans, "llama.cpp", "g6e.xlarge").replica, on(plans, "vllm", "g6e.xlarge").replica
    assert llama.fit is not None
    assert llama.limits.cache_tokens is None
    assert llama.fit.placement.context_tokens == 8192 * llama.fit.placement.parallel
    assert paged.limits.cache_tokens is not None
    assert paged.limits.slots_for(768) > llama.limits.slots


def test_a_model_too_large_for_one_node_is_spread_over_several() -> None:
    found = planned(subject(LLAMA_405B, latency__ttft_ms=60_000), "p4d.24xlarge")
    plan = next(p for p in found.plans if p.replica.engine == "vllm")
    assert plan.replica.pipeline_parallel > 1
    assert plan.replica.tensor_parallel == 8
    assert plan.per_machine == 0
    assert plan.size.machines == plan.size.replicas * plan.replica.pipeline_parallel


def test_a_model_that_needs_several_gpus_is_shared_by_them() -> None:
    found = subject(LLAMA_70B)
    replicas = [r for r in vllm_on_node(found, node("p5.48xlarge")) if isinstance(r, Replica)]
    assert min(r.tensor_parallel for r in replicas if r.quantization == "BF16") == 4
    assert min(r.tensor_parallel for r in replicas if r.quantization == "FP8") == 2
    layered = [r for r in llama_on_node(found, node("p5.48xlarge")) if isinstance(r, Replica)]
    assert layered[0].gpus == 1


def test_fp8_is_planned_only_where_the_gpu_multiplies_in_it() -> None:
    def precisions(name: str) -> set[str]:
        return {r.quantization for r in vllm_on_node(subject(), node(name)) if isinstance(r, Replica)}

    assert precisions("p4d.24xlarge") == {"BF16"}
    assert precisions("g6e.xlarge") == {"BF16", "FP8"}


def test_weights_in_fp8_alone_are_refused_where_the_gpu_does_not_multiply_in_it() -> None:
    (refusal,) = vllm_on_node(replace(subject(), precisions=("FP8",)), node("p4d.24xlarge"))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, "A100" in refusal.text) == ("no_fp8", True)


def test_what_does_not_fit_is_sized_in_a_precision_that_the_gpu_has() -> None:
    small = replace(node("p4d.24xlarge"), count=1, link_bytes_per_s=None, network_bytes_per_s=None)
    (refusal,) = vllm_on_node(subject(LLAMA_405B), small)
    assert isinstance(refusal, Refusal)
    assert refusal.text.startswith("756.0 GiB of weights")


def test_a_gpu_of_unknown_compute_rate_is_refused_as_such_and_not_as_too_small() -> None:
    known = node("g6e.xlarge")
    silent = replace(known, gpu=replace(known.gpu, fp16_flops=None, int8_ops=None))
    (refusal,) = vllm_on_node(subject(), silent)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "no_compute_rate"


def test_sizes_that_miss_the_targets_however_few_requests_come_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    found, replica = subject(latency__ttft_ms=400), vllm_replica("L4")
    sizes = ((500, 100),) * 3891 + ((6000, 100),) * 205
    mean = sum(prompt for prompt, _ in sizes) / len(sizes)
    load = replace(found.traffic, users=None, sizes=sizes, prompt_tokens=mean, mean_requests_per_s=5.0)
    alone = [run_at(replica, load, 0.001, found.targets, n) for n in (1500, 10_000)]
    # About one request in twenty is long: a short run has fewer of them, and a run of full length more.
    assert [holds(metrics, found.targets) for metrics in alone] == [True, False]
    monkeypatch.setattr(targets, "_MOST_STEPS", 2)
    plans = make_plans(replace(found, traffic=load), SMALL_CPU, 4, None, [node("g6.xlarge")], ["vllm"])
    assert not plans.plans
    assert [r.code for r in plans.refusals if r.place == "g6.xlarge"] == ["no_load"]


def test_a_target_below_the_bound_is_refused_with_its_value() -> None:
    found = planned(subject(latency__ttft_ms=1), "H100 server")
    assert not found.plans
    floors = [r for r in found.refusals if r.code == "ttft_floor"]
    assert {r.place for r in floors} == {"this machine", "H100 server"}
    h100 = next(r for r in floors if r.engine == "vllm")
    assert h100.text.startswith("no first token within 1 ms: a prompt of 512 tokens alone takes ")
    assert "reading the weights once takes" in h100.text
    assert h100.floor_s is not None
    assert h100.floor_s > 0.001


def test_an_engine_that_is_not_known_to_run_the_model_says_why() -> None:
    unheard = replace(LLAMA_3_8B, architecture="hal9000")
    found = make_plans(subject(unheard), SMALL_CPU, 4, None, [], ("vllm",))
    assert [(r.code, r.place) for r in found.refusals] == [("architecture", None)]
    assert "not known to run the architecture hal9000" in found.refusals[0].text
    assert "mistral4" in found.refusals[0].text


def test_an_architecture_that_vllm_runs_but_plans_do_not_model_says_so_with_its_source() -> None:
    found = make_plans(subject(replace(LLAMA_3_8B, architecture="mamba2")), SMALL_CPU, 4, None, [], ("vllm",))
    assert [r.code for r in found.refusals] == ["not_modelled"]
    assert "Mamba2ForCausalLM; vLLM's list of supported models, vllm-project/vllm@0046f770" in found.refusals[0].text


def test_latent_attention_of_mistral_small_4_is_planned_on_vllm() -> None:
    small_4 = load_catalogue(knowledge_dir()).model("mistral-small-4-119b")
    assert small_4 is not None
    assert small_4.shape is not None
    assert small_4.shape.latent is not None
    found = make_plans(subject(small_4.shape), SMALL_CPU, 4, None, [node("p5.48xlarge")], ("vllm",))
    assert [p.replica.place for p in found.plans] == ["p5.48xlarge"]


@given(needed=st.integers(1, 400), per_machine=st.integers(1, 8))
def test_what_may_be_lost_leaves_enough(needed: int, per_machine: int) -> None:
    replicas, machines = with_spare(needed, per_machine, 1, "replica")
    assert replicas - 1 >= needed
    assert replicas <= machines * per_machine
    many, more = with_spare(needed, per_machine, 1, "machine")
    assert many <= more * per_machine
    assert many - math.ceil(many / more) >= needed
    assert more == math.ceil(needed / per_machine) + 1


def test_a_lost_machine_is_a_lost_replica_where_machines_share_one() -> None:
    assert with_spare(3, 0, 2, "replica") == with_spare(3, 0, 2, "machine") == (4, 8)


def test_a_plan_that_survives_a_machine_says_so_and_never_takes_fewer() -> None:
    one = planned(many_users(), "p5.48xlarge", "H100 server")
    two = planned(replace(many_users(), survive="machine"), "p5.48xlarge", "H100 server")
    assert plans_document(two)["survives"] == "machine"
    for plan in one.plans:
        other = on(two, plan.replica.engine, plan.replica.place)
        assert other.size.machines >= plan.size.machines
        assert other.size.replicas - other.lost_with_a_machine >= other.needed
    assert on(two, "vllm", "p5.48xlarge").size.machines == 2


def test_like_gpus_of_this_machine_hold_a_copy_each() -> None:
    card = Pool("GPU0", "gpu", 44 * GIB, None, 864e9, 362e12, "cuda", int8_ops=733e12)
    pools = (SMALL_CPU[0], *(replace(card, name=f"GPU{i}") for i in range(4)))
    plan = make_plans(many_users(), pools, 4, None, [], ("llama.cpp",)).plans[0]
    assert (plan.replica.gpus, plan.per_machine, plan.gpus_per_machine) == (1, 4, 4)
    alone = make_plans(many_users(), pools[:2], 4, None, [], ("llama.cpp",)).plans[0]
    assert plan.one_machine_requests_per_s == pytest.approx(4 * alone.one_machine_requests_per_s)


def test_a_node_of_unknown_system_memory_is_planned_with_a_note() -> None:
    found = [r for r in llama_on_node(subject(), node("H100 server")) if isinstance(r, Replica)]
    assert any("system memory of H100 server is unknown" in note for note in found[0].notes)
    small = replace(node("H100 server"), memory_bytes=64 * 1024 * 1024)
    assert all(isinstance(r, Refusal) and r.code == "memory" for r in llama_on_node(subject(), small))


def test_one_user_never_waits_for_himself() -> None:
    found = planned(subject(scale__users=1, latency__tokens_per_s=1.0))
    plan = found.plans[0]
    assert plan.node is None
    assert plan.needed == 1
    assert plan.metrics.wait.p99 == 0.0
    assert plan.metrics.ttft.p50 == pytest.approx(plan.capacity.floor_ttft_s)


def test_one_user_who_asks_for_more_than_a_machine_can_do_gets_replicas_by_the_rate() -> None:
    asked = subject(scale__users=1, scale__requests_per_user_hour=3000.0, latency__tokens_per_s=1.0)
    plan = planned(asked).plans[0]
    assert plan.needed >= asked.traffic.requests_per_s / plan.capacity.requests_per_s > 1


def test_a_machine_of_unknown_memory_is_refused_as_such() -> None:
    unknown = (replace(SMALL_CPU[0], budget_bytes=0),)
    found = make_plans(subject(), unknown, 4, None, [], ("llama.cpp",))
    assert [r.text for r in found.refusals] == ["its system memory is unknown, or all of it is kept free"]


def test_a_model_that_fits_on_the_excluded_processor_alone_is_not_called_too_large() -> None:
    asked = subject(machine__allow_cpu=False)
    found = make_plans(asked, SMALL_CPU, 4, None, [], ("llama.cpp",))
    assert [(r.code, "machine.allow_cpu" in r.text) for r in found.refusals] == [("no_cpu", True)]
    large = make_plans(replace(asked, shape=LLAMA_70B), SMALL_CPU, 4, None, [], ("llama.cpp",))
    assert [r.code for r in large.refusals] == ["memory"]


def test_very_long_prompts_are_planned_from_few_requests() -> None:
    found = many_users()
    long = replace(found.traffic, sizes=((1_000_000, 10),), prompt_tokens=1_000_000, answer_tokens=10)
    replica = replace(vllm_replica(), limits=Limits(4, None, 2048))
    assert run_at(replica, long, 1e-4, found.targets, 10_000).n_requests == 100


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(i) for i in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert percentile([3.0], 0.5) == 3.0


def test_the_same_inputs_give_the_same_document(plans: Plans) -> None:
    again = planned(many_users(), "H100 server", "g6e.xlarge", "p5.48xlarge")
    assert plans_document(again) == plans_document(plans)
