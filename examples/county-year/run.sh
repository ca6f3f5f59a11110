#!/bin/sh
# A county's whole year by curl: 30 units file and submit, the bureau returns two, reviews, approves and publishes, ranks
# the units, and opens the next year. Needs curl and awk. All names and figures are invented (README.md).
#
#   BASE=http://127.0.0.1:8080 TOKEN=jx_… sh examples/county-year/run.sh
#
# TOKEN is a bureau token; `jixiao demo` needs none. YEAR (2031) must not be in use: what is submitted stays as it was.
set -eu
cd "$(dirname "$0")"
base=${BASE:-http://127.0.0.1:8080}/api/v1
year=${YEAR:-2031}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

call() { # METHOD PATH [CURL OPTIONS…]: prints the answer
  method=$1 path=$2
  shift 2
  curl -sS --fail-with-body -X "$method" "$base$path" -H "Authorization: Bearer ${TOKEN:-none}" "$@"
}
quietly() { # The same without a word, unless it fails: then with the answer, which says why.
  call "$@" -o "$out/answer" || {
    echo "$1 $2" >&2
    cat "$out/answer" >&2
    return 1
  }
}
send() { # METHOD PATH FILE: a document
  quietly "$1" "$2" -H 'Content-Type: application/json' --data-binary "@$3"
}
tell() { # METHOD PATH JSON: a short one
  quietly "$1" "$2" -H 'Content-Type: application/json' -d "$3"
}
show() { # PATH: as a table of plain text
  call GET "$1" -H 'Accept: text/plain'
}
of() { echo "/units/$1/evaluations/$year"; } # the evaluation of a unit

echo "一、布置：${year}年度，评分标准 hunan-2019"
tell PUT "/fiscal-years/$year" '{"scheme": "hunan-2019", "notice_number": "示财绩〔'$((year + 1))'〕12号"}'

echo "二、填报：30个单位报送基础数据表和评价打分依据"
n=0
while read -r code kind name; do
  n=$((n + 1))
  awk -v n="$n" -v name="$name" -v kind="$kind" -v out="$out" -f figures.awk
  send PUT "/units/$code" "$out/unit.json"
  send PUT "$(of "$code")/base-data" "$out/base-data.json"
  send PUT "$(of "$code")/assessments" "$out/assessments.json"
  send PUT "$(of "$code")/reasons" "$out/reasons.json"
done <units.txt

echo "三、报送：数据锁定，得分随之固定"
while read -r code kind name; do
  tell POST "$(of "$code")/submit" '{}'
done <units.txt

echo "四、退回：两个单位更正后重新报送"
for code in 104 213; do
  tell POST "$(of $code)/return" '{"reason": "重点工作考核得分与县委县政府考核通报不一致，请核对"}'
  quietly PATCH "$(of $code)/assessments" -H 'Content-Type: application/merge-patch+json' \
    -d '{"indicators": {"key_work": {"achieved": "90", "evidence": "年度绩效考核通报"}}}'
  tell POST "$(of $code)/submit" '{"reason": "已按通报更正"}'
done

echo "五、复核：财政局逐项复核，有异议的说明理由"
n=0
while read -r code kind name; do
  n=$((n + 1))
  tell POST "$(of "$code")/begin-review" '{}'
  # No survey was held: the bureau decides that line. Elsewhere it corrects what it finds.
  [ $((n % 15)) = 0 ] && tell PUT "$(of "$code")/review" \
    '{"lines": {"satisfaction": {"points": "0", "reason": "未开展满意度调查，不得分"}}, "comment": "下年度应开展满意度调查"}'
  [ $((n % 10)) = 4 ] && tell PUT "$(of "$code")/review" \
    '{"lines": {"economic_benefit": {"points": "3.5", "reason": "税收目标未完成，佐证材料不足"}}}'
  tell POST "$(of "$code")/approve" '{}'
  tell POST "$(of "$code")/publish" '{}'
done <units.txt

echo "六、结果"
show "/fiscal-years/$year/ranking?limit=10"
show "/fiscal-years/$year/summary"

echo "七、结转：开设$((year + 1))年度"
tell POST "/fiscal-years/$year/roll-over" '{}'
call GET "/units/101/evaluations/$((year + 1))/base-data/prefilled"
echo
